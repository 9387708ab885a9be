"""The peers of `fisher train`: PyTorch eager, JAX jit with lax.scan, and kfac-jax, on the same task.

usage: peers.py REQUEST, a JSON object; prints an answer as a JSON line. To see one:
  python3 peers.py '{"peer": "jax", "data": FOLDER, "setting": {"optimizer": "adam", "rate": 1e-3, "batch": 200},
                     "seed": 0, "epochs": 12, "target": 0.27, "threads": 2}'

The task is that of `fisher train`: the last sixth of the training images is for validation and not seen, pixels are
divided by 255, weights are Glorot uniform and biases zero, and the gradient of ½·10⁻³‖W‖² (weights, not biases) is
added before the optimizer. A seed fixes the starting weights and the order of the batches, for all peers alike. The
seconds hold gathering and training. What is left out: imports, compilation and the first steps (a quarter epoch on
weights that are thrown away), drawing the order, evaluation. The mean loss over all training samples is evaluated
every quarter epoch, every half where the batches do not divide by four.

Needs numpy, and torch or jax with optax and, of kfac-jax, version 0.0.8.
"""

import json
import math
import resource
import sys
import time

import numpy as np

# The sources stay as they are.
sys.dont_write_bytecode = True

from task import L2, starting_weights, training_samples


class Torch:
    """torch.nn.Sequential and a fused optimizer of torch.optim, step by step."""

    def __init__(self, x, y, shape, setting, threads):
        import torch

        torch.set_num_threads(threads)
        self.torch, self.shape, self.setting = torch, shape, setting
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y.astype(np.int64))
        self.versions = {"PyTorch": torch.__version__}

    def start(self, seed):
        torch, layers = self.torch, []
        for w in starting_weights(self.shape, seed):
            layers += [torch.nn.Linear(w.shape[1], w.shape[0]), torch.nn.ReLU()]
            with torch.no_grad():
                layers[-2].weight.copy_(torch.from_numpy(w))
                layers[-2].bias.zero_()
        self.model = torch.nn.Sequential(*layers[:-1])
        groups = [
            {"params": [p for p in self.model.parameters() if p.ndim == 2], "weight_decay": L2},
            {"params": [p for p in self.model.parameters() if p.ndim == 1], "weight_decay": 0},
        ]
        rate = self.setting["rate"]
        self.optimizer = {
            "sgd": lambda: torch.optim.SGD(groups, rate, fused=True),
            "momentum": lambda: torch.optim.SGD(groups, rate, momentum=0.9, fused=True),
            "adam": lambda: torch.optim.Adam(groups, rate, fused=True),
        }[self.setting["optimizer"]]()

    def train(self, batches):
        loss, x, y = self.torch.nn.functional.cross_entropy, self.x, self.y
        for batch in self.torch.from_numpy(batches):
            self.optimizer.zero_grad(set_to_none=True)
            loss(self.model(x[batch]), y[batch]).backward()
            self.optimizer.step()

    def loss(self):
        with self.torch.no_grad():
            return self.torch.nn.functional.cross_entropy(self.model(self.x), self.y).item()


def make(name):
    if name == "torch":
        return Torch
    import peers_jax

    return {"jax": peers_jax.Jax, "kfac-jax": peers_jax.KfacJax}[name]


def train(request):
    x, y = training_samples(request["data"])
    shape = [x.shape[1], 80, 80, 80, 10]
    setting, seed = request["setting"], request["seed"]
    peer = make(request["peer"])(x, y, shape, setting, request["threads"])
    count = len(x) // setting["batch"]
    parts = next(n for n in (4, 2, 1) if count % n == 0)

    def epoch(order):
        return order.permutation(len(x))[: count * setting["batch"]].reshape(parts, count // parts, -1)

    start = time.perf_counter()
    peer.start(seed)
    peer.loss()
    peer.train(epoch(np.random.default_rng(seed))[0])
    first_seconds = time.perf_counter() - start

    peer.start(seed)
    order, seconds, points = np.random.default_rng(seed), 0.0, []
    for number in range(request["epochs"]):
        for part, batches in enumerate(epoch(order)):
            start = time.perf_counter()
            peer.train(batches)
            seconds += time.perf_counter() - start
            loss = peer.loss()
            points.append((number + (part + 1) / parts, seconds, loss if math.isfinite(loss) else None))
            if points[-1][2] is None:
                break
        # (a run that has reached its target, at the end of an epoch, is done)
        if points[-1][2] is None or points[-1][2] <= request.get("target", 0):
            break
    steps = points[-1][0] * count
    return {
        "loss": [(t, loss) for epochs, t, loss in points if loss is None or epochs == int(epochs)],
        "parts": [(t, loss) for _, t, loss in points],
        "seconds_per_step": seconds / steps,
        "compile_seconds": max(0, first_seconds - seconds / len(points)),
        "versions": peer.versions,
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10,
    }


def main():
    try:
        request = json.loads(sys.argv[1])
        if request["peer"] == "torch-window":
            import torch_window

            answer = torch_window.measure(*training_samples(request["data"]), request["threads"], request["quick"])
        else:
            answer = train(request)
    except Exception as error:  # whatever a peer throws is its result
        answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
