"""What PyTorch makes of layers and of a small CNN: inputs, weights, outputs, derivatives, and one step of RNGD by the formulas.

usage: layers.py OUT

Writes OUT/cases.json and a NumPy file for each array, rows of positions with their channels last, and weights (m, d) in the
order window row, window column, channel, bias. With --check it says whether PyTorch is there, and writes nothing.
"""
import json
import sys

import numpy as np
import torch
import torch.nn.functional as F

torch.manual_seed(0)
DTYPES = {"double": torch.float64, "float": torch.float32}


def rows(x):
    """(n, C, H, W) to (n H W, C)."""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


def flat(weight, bias):
    """(m, C, kh, kw) to (m, d)."""
    return torch.cat([weight.permute(0, 2, 3, 1).reshape(len(weight), -1), bias[:, None]], 1)


class Writer:
    def __init__(self, out):
        self.out, self.cases = out, []

    def add(self, name, settings, arrays):
        case = {"name": name, **settings, "arrays": sorted(arrays)}
        for key, array in arrays.items():
            np.save(f"{self.out}/{name}.{key}.npy", array.detach().numpy())
        self.cases.append(case)

    def finish(self):
        with open(f"{self.out}/cases.json", "w") as f:
            json.dump(self.cases, f, indent=1)


def convolution(writer, precision, name, n, size, channels, outputs, kernel, stride=(1, 1), padding=(0, 0),
                dilation=(1, 1), groups=1):
    make = lambda *shape: torch.randn(*shape, dtype=DTYPES[precision])
    x, w, b = make(n, channels, *size), make(outputs, channels // groups, *kernel), make(outputs)
    for t in (x, w, b):
        t.requires_grad_()
    y = torch.tanh(F.conv2d(x, w, b, stride, padding, dilation, groups))
    c = make(*y.shape)
    (c * y).sum().backward()
    writer.add(f"{name}-{precision}", {
        "kind": "convolution", "precision": precision, "samples": n, "image": size, "channels": channels,
        "outputs": outputs, "kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation, "groups": groups
    }, {"x": rows(x), "w": flat(w, b), "y": rows(y), "c": rows(c), "dx": rows(x.grad), "dw": flat(w.grad, b.grad)})


def pooling(writer, precision, name, kind, n, size, channels, kernel, stride, padding):
    make = lambda *shape: torch.randn(*shape, dtype=DTYPES[precision])
    x = make(n, channels, *size).requires_grad_()
    pool = {"max pooling": F.max_pool2d, "average pooling": F.avg_pool2d}[kind]
    y = pool(x, kernel, stride, padding)
    c = make(*y.shape)
    (c * y).sum().backward()
    writer.add(f"{name}-{precision}", {
        "kind": kind, "precision": precision, "samples": n, "image": size, "channels": channels, "kernel": kernel,
        "stride": stride, "padding": padding
    }, {"x": rows(x), "y": rows(y), "c": rows(c), "dx": rows(x.grad)})


def normalisation(writer, precision, kind, n, size, channels, groups):
    make = lambda *shape: torch.randn(*shape, dtype=DTYPES[precision])
    x, gamma, beta = make(n, channels, *size).requires_grad_(), make(channels).requires_grad_(), make(channels).requires_grad_()
    last = x.permute(0, 2, 3, 1)
    if kind == "layer normalisation":
        y = F.layer_norm(last, (channels,), gamma, beta, 1e-5).permute(0, 3, 1, 2)
    elif kind == "rms normalisation":
        y = F.rms_norm(last, (channels,), gamma, 1e-5).permute(0, 3, 1, 2)
    else:
        y = F.group_norm(x, groups, gamma, beta, 1e-5)
    c = make(*y.shape)
    (c * y).sum().backward()
    pair = lambda a, b: a[:, None] if kind == "rms normalisation" else torch.stack([a, b], 1)
    writer.add(f"{kind.replace(' ', '-')}-{precision}", {
        "kind": kind, "precision": precision, "samples": n, "image": size, "channels": channels, "groups": groups
    }, {"x": rows(x), "w": pair(gamma, beta), "y": rows(y), "c": rows(c), "dx": rows(x.grad),
        "dw": pair(gamma.grad, beta.grad)})


def natural(gradient, inputs, nu, scale, damping):
    """(G_i + damping I)^-1 g_i of each neuron, G_i = scale/n sum nu_i x~ x~^T."""
    result = torch.empty_like(gradient)
    for i in range(len(gradient)):
        block = scale / len(inputs) * (inputs * nu[:, i:i + 1]).T @ inputs
        result[i] = torch.linalg.solve(block + damping * torch.eye(len(block), dtype=block.dtype), gradient[i])
    return result


def natural_softmax(gradient, inputs, eta, damping):
    """The same of eq 10."""
    m, d = gradient.shape
    whole = torch.zeros(m * d, m * d, dtype=gradient.dtype)
    for x, p in zip(inputs, eta):
        whole += torch.kron(torch.diag(p) - torch.outer(p, p), torch.outer(x, x)) / len(inputs)
    return torch.linalg.solve(whole + damping * torch.eye(m * d, dtype=whole.dtype), gradient.reshape(-1)).reshape(m, d)


def network(writer, precision):
    """8x8 images: two convolutions with pooling, 5 hidden, 3 classes; damping 0.05, rate 0.1."""
    make = lambda *shape: torch.randn(*shape, dtype=DTYPES[precision]) * 0.5
    n, damping, rate = 6, 0.05, 0.1
    x, labels = make(n, 1, 8, 8) * 2, torch.tensor([0, 1, 2, 0, 1, 2])
    shapes = [((3, 1, 3, 3), 3), ((4, 3, 3, 3), 4), ((5, 16), 5), ((3, 5), 3)]
    weights = [(make(*w).requires_grad_(), make(b).requires_grad_()) for w, b in shapes]
    (w1, b1), (w2, b2), (w3, b3), (w4, b4) = weights
    z1 = F.conv2d(x, w1, b1, padding=1)
    h1 = F.max_pool2d(F.relu(z1), 2)
    z2 = F.conv2d(h1, w2, b2, padding=1)
    h2 = F.max_pool2d(F.relu(z2), 2)
    f = rows(h2).reshape(n, -1)
    z3 = F.linear(f, w3, b3)
    h3 = F.relu(z3)
    z4 = F.linear(h3, w4, b4)
    loss = F.cross_entropy(z4, labels)
    loss.backward()
    one = lambda a: torch.cat([a, torch.ones(len(a), 1, dtype=a.dtype)], 1)
    patches = lambda a, channels: F.unfold(a, 3, padding=1).transpose(1, 2).reshape(-1, channels, 9).transpose(1, 2).reshape(-1, 9 * channels)
    nu = lambda z: torch.sigmoid(z) ** 2
    matrix = lambda w, b: flat(w, b) if w.ndim == 4 else torch.cat([w, b[:, None]], 1)
    gradients = [matrix(w.grad, b.grad) for w, b in weights]
    with torch.no_grad():
        steps = [
            natural(gradients[0], one(patches(x, 1)), nu(rows(z1)), 64, damping),
            natural(gradients[1], one(patches(h1, 3)), nu(rows(z2)), 16, damping),
            natural(gradients[2], one(f), nu(z3), 1, damping),
            natural_softmax(gradients[3], one(h3), torch.softmax(z4, 1), damping),
        ]
    arrays = {"x": x.reshape(n, 64), "labels": labels.to(torch.int32), "outputs": z4,
              "loss": loss.reshape(1).to(torch.float64)}
    for k, (w, b) in enumerate(weights):
        arrays |= {f"w{k}": matrix(w, b), f"g{k}": gradients[k], f"after{k}": matrix(w, b) - rate * steps[k]}
    writer.add(f"network-{precision}", {"kind": "network", "precision": precision, "damping": damping, "rate": rate}, arrays)


def main():
    if sys.argv[1:] == ["--check"]:
        return
    writer = Writer(sys.argv[1])
    for p in DTYPES:
        convolution(writer, p, "plain", 3, (6, 5), 4, 7, (3, 3), padding=(1, 1))
        convolution(writer, p, "strided", 2, (9, 8), 3, 5, (3, 2), (2, 1), (1, 1), (2, 3))
        convolution(writer, p, "grouped", 2, (6, 6), 6, 4, (3, 3), padding=(1, 1), groups=2)
        convolution(writer, p, "depthwise", 2, (6, 6), 5, 5, (3, 3), padding=(1, 1), groups=5)
        convolution(writer, p, "series", 3, (1, 11), 3, 4, (1, 4), (1, 2), (0, 1))
        convolution(writer, p, "wide", 2, (14, 14), 16, 32, (3, 3), padding=(1, 1))
        pooling(writer, p, "largest", "max pooling", 2, (7, 6), 5, (3, 2), (2, 2), (1, 1))
        pooling(writer, p, "mean", "average pooling", 2, (7, 6), 5, (3, 2), (2, 2), (1, 1))
        for kind in ("layer normalisation", "rms normalisation", "group normalisation"):
            normalisation(writer, p, kind, 2, (3, 4), 6, 3 if kind.startswith("group") else 1)
        network(writer, p)
    writer.finish()


main()
