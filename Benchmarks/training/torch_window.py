"""RNGD with an exact matrix for every neuron, in plain PyTorch: what the exact metric is compared with.

Batched products for the Grams of the window, batched Cholesky factors, and cholesky_solve at every step. An epoch of it
takes minutes, so a few steps and refreshes are timed and an epoch is extrapolated from them.
"""

import math
import statistics
import time

import torch

BATCH, REFRESH, DAMPING, RATE, L2 = 50, 100, 5e-3, 1e-2, 1e-3


def with_bias(x):
    return torch.cat([x, torch.ones(len(x), 1)], 1)


def gradients(weights, x, y):
    """Gradients, and each layer's inputs x̃ (n × d) and ν (n × m): σ(z)² for relu with ω = 1, η(1 − η) for softmax."""
    inputs, nus = [], []
    for i, w in enumerate(weights):
        inputs.append(with_bias(x))
        z = inputs[-1] @ w.t()
        x = z if i == len(weights) - 1 else torch.relu(z)
        eta = torch.softmax(z.detach(), 1)
        nus.append(eta * (1 - eta) if i == len(weights) - 1 else torch.sigmoid(z.detach()) ** 2)
    loss = torch.nn.functional.cross_entropy(x, y) + L2 / 2 * sum((w[:, :-1] ** 2).sum() for w in weights)
    return torch.autograd.grad(loss, weights), [a.detach() for a in inputs], nus


def factor(x, nu):
    """The Cholesky factors of (1/N) Σ ν x̃x̃ᵀ + λI for the m neurons of a layer, m × d × d."""
    weighted = nu.t()[:, :, None] * x
    gram = torch.bmm(weighted.transpose(1, 2), x.expand(len(weighted), -1, -1)) / len(x)
    gram.diagonal(dim1=1, dim2=2).add_(DAMPING)
    return torch.linalg.cholesky(gram)


def measure(x, y, threads, quick):
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    x, y = torch.from_numpy(x), torch.from_numpy(y).long()
    shape, weights = [x.shape[1], 80, 80, 80, 10], []
    for d, m in zip(shape, shape[1:]):
        weights.append(torch.empty(m, d + 1).uniform_(-1, 1) * math.sqrt(6 / (d + m)))
        weights[-1][:, -1] = 0
        weights[-1].requires_grad_()
    steps, refreshes, batches = (3, 1, 4) if quick else (30, 3, REFRESH)

    window = [gradients(weights, x[i * BATCH : (i + 1) * BATCH], y[i * BATCH : (i + 1) * BATCH])[1:]
              for i in range(batches)]
    window = [
        tuple(torch.cat([batch[part][layer] for batch in window]) for part in (0, 1)) for layer in range(len(weights))
    ]
    refresh_seconds, step_seconds = [], []
    for _ in range(refreshes):
        start = time.perf_counter()
        factors = [factor(*layer) for layer in window]
        refresh_seconds.append(time.perf_counter() - start)
    for i in range(steps):
        start = time.perf_counter()
        choice = torch.randint(len(x), (BATCH,))
        found, _, _ = gradients(weights, x[choice], y[choice])
        with torch.no_grad():
            for w, g, f in zip(weights, found, factors):
                w -= RATE * torch.cholesky_solve(g[:, :, None], f)[:, :, 0]
        step_seconds.append(time.perf_counter() - start)
    refresh, step = statistics.median(refresh_seconds), statistics.median(step_seconds)
    per_epoch = len(x) // BATCH
    return {
        "refresh_seconds": refresh, "step_seconds": step, "refreshes": refreshes, "steps": steps,
        "epoch_seconds": per_epoch * step + per_epoch / REFRESH * refresh,
        "versions": {"PyTorch": torch.__version__},
    }
