#!/usr/bin/env python3
"""Checks `fisher rfim` and `fisher solve` against formulas of a few lines in NumPy.

Usage: check_rfim.py FISHER [SEED]

Random shapes, and extreme ones: pre-activations up to 100, a softmax that is sure, one sample, one neuron, the same
sample many times. In float64 matrices agree to 1e-12 of their largest entry and solutions to 1e-9; in float32 to 1e-5,
and solutions, which the tool computes in double precision, to 1e-6. Badly conditioned ones are check_solves.py's.
"""

import os
import subprocess
import sys
import tempfile

import numpy as np
from math import erfc, sqrt


def sigmoid(z):
    return np.where(z < 0, np.exp(-np.abs(z)), 1) / (1 + np.exp(-np.abs(z)))


def sech2(z):
    t = np.exp(-2 * np.abs(z))
    return 4 * t / (1 + t) ** 2


def cdf(z):
    return np.vectorize(lambda t: erfc(-t / sqrt(2)) / 2, otypes=[float])(z)


# f, f' and whether the output is Bernoulli (nu = f') or Gaussian (nu = f'^2)
def activation(name, iota=None, omega=1.0, alpha=1.0):
    if name == "tanh":
        return np.tanh, sech2, True
    if name == "sigm":
        return sigmoid, lambda z: sech2(z / 2) / 4, True
    if name == "linear":
        return lambda z: z, np.ones_like, False
    if name == "elu":
        return (
            lambda z: np.where(z < 0, alpha * np.expm1(np.minimum(z, 0)), z),
            lambda z: np.where(z < 0, alpha * np.exp(np.minimum(z, 0)), 1.0),
            False,
        )
    if name == "leaky-relu":
        slope = 0.01 if iota is None else iota
        return lambda z: np.where(z < 0, slope * z, z), lambda z: np.where(z > 0, 1.0, slope), False
    if name == "silu":
        return lambda z: z * sigmoid(z), lambda z: sigmoid(z) * (1 + z * sigmoid(-z)), False
    if name == "gelu":
        return (
            lambda z: z * cdf(z),
            lambda z: cdf(z) + z * np.exp(-z * z / 2) / np.sqrt(2 * np.pi),
            False,
        )
    iota = iota or 0.0
    if name == "softplus":
        iota, omega = 0.0, 1.0
    if omega == 0:
        return lambda z: np.where(z > 0, z, iota * z), lambda z: np.where(z > 0, 1.0, iota), False
    return (
        lambda z: omega * np.logaddexp(iota * z / omega, z / omega),
        lambda z: iota + (1 - iota) * sigmoid((1 - iota) * z / omega),
        False,
    )


def nu(function, z):
    _, slope, is_bernoulli = function
    return slope(z) if is_bernoulli else slope(z) ** 2


def with_bias(x):
    return np.hstack([x, np.ones((len(x), 1))])


def blocks(weights, x):
    """(1/n) sum_s weights(s, i) x~ x~^T for each i."""
    return np.einsum("si,sa,sb->iab", weights, x, x) / len(x)


def coupled(a, x):
    """(1/n) sum_s A_s (x) x~ x~^T."""
    n, m, _ = a.shape
    d = x.shape[1]
    return (np.einsum("sij,sa,sb->iajb", a, x, x) / n).reshape(m * d, m * d)


def softmax_covariance(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    eta = e / e.sum(axis=1, keepdims=True)
    a = -eta[:, :, None] * eta[:, None, :]
    for s in range(len(eta)):
        for i in range(eta.shape[1]):
            a[s, i, i] = eta[s, i] * (eta[s].sum() - eta[s, i] if eta[s, i] < 0.5 else np.delete(eta[s], i).sum())
    return a


def patches(x, kernel, stride, padding, dilation, groups):
    """(n positions, groups, d): the window row by row, in each position the group's channels, and 1."""
    n, height, width, channels = x.shape
    padded = np.zeros((n, height + 2 * padding[0], width + 2 * padding[1], channels))
    padded[:, padding[0] : padding[0] + height, padding[1] : padding[1] + width] = x
    reach = [(kernel[k] - 1) * dilation[k] + 1 for k in (0, 1)]
    rows = range(0, padded.shape[1] - reach[0] + 1, stride[0])
    columns = range(0, padded.shape[2] - reach[1] + 1, stride[1])
    found = []
    for s in range(n):
        for y in rows:
            for u in columns:
                window = padded[s, y : y + reach[0] : dilation[0], u : u + reach[1] : dilation[1]]
                split = window.reshape(kernel[0] * kernel[1], groups, channels // groups)
                found.append([np.append(split[:, g].ravel(), 1) for g in range(groups)])
    return np.array(found)


class Checker:
    def __init__(self, fisher, seed):
        self.fisher = fisher
        self.random = np.random.default_rng(seed)
        self.folder = tempfile.mkdtemp(prefix="check-rfim-")
        self.count = 0

    def path(self, name):
        return os.path.join(self.folder, name + ".npy")

    def run(self, command, **arrays):
        arguments = [self.fisher] + command + ["--out", self.path("out")]
        for flag, array in arrays.items():
            # NumPy's Fortran order has to be read as well
            np.save(self.path(flag), np.asfortranarray(array) if self.count % 3 == 0 else array)
            arguments += ["--" + flag.replace("_", "-"), self.path(flag)]
        result = subprocess.run(arguments, capture_output=True, text=True)
        if result.returncode != 0:
            sys.exit(f"{' '.join(arguments)}: expected exit status 0, found {result.returncode}: {result.stderr}")
        return np.load(self.path("out"))

    def compare(self, found, expected, tolerance, what):
        self.count += 1
        if found.shape != expected.shape:
            sys.exit(f"{what}: expected shape {expected.shape}, found {found.shape}")
        # what is smaller than numbers of that precision can be is nothing
        scale = max(np.abs(expected).max(), 1e-30 if found.dtype == np.float32 else 1e-290)
        error = np.abs(found - expected).max() / scale
        if not error <= tolerance:
            sys.exit(f"{what}: expected a relative error of at most {tolerance}, found {error}")

    def system(self, kind, n, inputs, m, scale, dtype, name, options, outputs, outer):
        """One subsystem: its matrix, and a solve by every route."""
        x = self.random.standard_normal((n, inputs)) * scale
        if n > 2 and self.random.random() < 0.3:
            x[:] = x[0]
        w = self.random.standard_normal((m, inputs + 1))
        arrays = {"inputs": x.astype(dtype), "weights": w.astype(dtype)}
        command = ["--subsystem", kind]
        if kind != "softmax":
            command += ["--activation", name]
            for flag, value in options.items():
                command += ["--" + flag, repr(value)]
        # what the tool is given, in double precision
        bias, w = with_bias(arrays["inputs"].astype(float)), arrays["weights"].astype(float)
        z = bias @ w.T
        function = activation(name, **options)
        if kind in ("neuron", "layer"):
            expected = blocks(nu(function, z), bias)
        elif kind == "softmax":
            expected = coupled(softmax_covariance(z), bias)
        else:
            arrays["outer_weights"] = self.random.standard_normal((outputs, m + 1)).astype(dtype)
            command += ["--outer-activation", outer]
            c = arrays["outer_weights"].astype(float)
            f, slope, _ = function
            above = with_bias(f(z)) @ c.T
            if outer == "softmax":
                o = softmax_covariance(above)
            else:
                o = np.einsum("sl,lk->slk", nu(activation(outer), above), np.eye(outputs))
            half = slope(z)[:, :, None] * c[:, :m].T[None, :, :]
            expected = coupled(np.einsum("sil,slk,sjk->sij", half, o, half), bias)
        what = f"{' '.join(command)}, n {n}, inputs {inputs}, m {m}, scale {scale}, {np.dtype(dtype).name}"
        # pre-activations of size z are known to z roundings: nu is, too
        sensitive = 1 + np.abs(z).max()
        rounding = 1e-12 if dtype == np.float64 else 1e-5 * sensitive
        found = self.run(["rfim"] + command, **arrays)
        if found.dtype != dtype:
            sys.exit(f"{what}: expected {np.dtype(dtype).name}, found {found.dtype.name}")
        self.compare(found, expected, rounding * (sensitive if dtype == np.float64 else 1), what)
        self.solve(command, arrays, expected, m, inputs + 1, dtype, what, sensitive)

    def solve(self, command, arrays, matrix, m, d, dtype, what, sensitive):
        v = self.random.standard_normal((m, d)).astype(dtype)
        damping = float(10.0 ** self.random.uniform(-3, 0))
        damped = matrix + damping * np.eye(matrix.shape[-1])
        right = v.astype(float)
        if matrix.ndim == 3:
            expected = np.linalg.solve(damped, right[:, :, None])[:, :, 0]
        else:
            expected = np.linalg.solve(damped, right.ravel()).reshape(m, d)
        tolerance = 1e-9 * sensitive + (1e-6 if dtype == np.float32 else 0)
        for route in ["auto", "dense", "low-rank", "conjugate-gradients"]:
            flags = ["solve"] + command + ["--damping", repr(damping), "--route", route]
            self.compare(self.run(flags, gradient=v, **arrays), expected, tolerance, f"solve, {route}: {what}")


    def convolution(self, shape, outputs, dtype, name, kernel, stride, padding, dilation, groups):
        """A convolution of images, or where there is one line of a series: blocks, summed over positions."""
        n, height, width, channels = shape
        x = self.random.standard_normal(shape).astype(dtype)
        d = kernel[0] * kernel[1] * channels // groups + 1
        w = self.random.standard_normal((outputs, d)).astype(dtype)
        command = ["--subsystem", "convolution", "--activation", name, "--groups", str(groups)]
        is_series = height == 1 and kernel[0] == 1
        for flag, value in (("kernel", kernel), ("stride", stride), ("padding", padding), ("dilation", dilation)):
            command += ["--" + flag, str(value[1]) if is_series else f"{value[0]},{value[1]}"]
        arrays = {"inputs": x[:, 0] if is_series else x, "weights": w}
        seen = patches(x.astype(float), kernel, stride, padding, dilation, groups)
        expected = []
        for i in range(outputs):
            rows = seen[:, i // (outputs // groups)]
            weights = nu(activation(name), rows @ w[i].astype(float))
            expected.append(np.einsum("s,sa,sb->ab", weights, rows, rows) / n)
        what = f"{' '.join(command)}, {shape}, {outputs} outputs, {np.dtype(dtype).name}"
        found = self.run(["rfim"] + command, **arrays)
        self.compare(found, np.array(expected), 1e-12 if dtype == np.float64 else 1e-5, what)
        self.solve(command, arrays, np.array(expected), outputs, d, dtype, what, 2)

    def normalisation(self, kind, shape, groups, dtype):
        x = self.random.standard_normal(shape).astype(dtype)
        n, channels = shape[0], shape[-1]
        rows = x.astype(float).reshape(n, -1, channels)
        split = rows.reshape(n, rows.shape[1], groups, channels // groups)
        epsilon = 0.01
        if kind == "layer-norm":
            xhat = (rows - rows.mean(-1, keepdims=True)) / np.sqrt(rows.var(-1, keepdims=True) + epsilon)
        elif kind == "rms-norm":
            xhat = rows / np.sqrt((rows**2).mean(-1, keepdims=True) + epsilon)
        elif kind == "batch-norm":
            xhat = (rows - rows.mean((0, 1))) / np.sqrt(rows.var((0, 1)) + epsilon)
        else:
            mean, variance = split.mean((1, 3), keepdims=True), split.var((1, 3), keepdims=True)
            xhat = ((split - mean) / np.sqrt(variance + epsilon)).reshape(rows.shape)
        vectors = xhat[..., None] if kind == "rms-norm" else np.stack([xhat, np.ones_like(xhat)], -1)
        expected = np.einsum("stia,stib->iab", vectors, vectors) / n
        command = ["--subsystem", kind, "--epsilon", repr(epsilon)]
        if kind == "group-norm":
            command += ["--groups", str(groups)]
        what = f"{' '.join(command)}, {shape}, {np.dtype(dtype).name}"
        found = self.run(["rfim"] + command, inputs=x)
        self.compare(found, expected, 1e-12 if dtype == np.float64 else 1e-5, what)
        self.solve(command, {"inputs": x}, expected, channels, vectors.shape[-1], dtype, what, 2)

    def kronecker(self, kind, n, inputs, m, dtype):
        x = self.random.standard_normal((n, inputs)).astype(dtype)
        w = self.random.standard_normal((m, inputs + 1)).astype(dtype)
        arrays, command = {"inputs": x, "weights": w}, ["--subsystem", kind, "--kronecker"]
        bias = with_bias(x.astype(float))
        z = bias @ w.astype(float).T
        if kind == "softmax":
            a = softmax_covariance(z)
        else:
            command += ["--activation", "tanh"]
            f, slope, _ = activation("tanh")
            if kind == "layer":
                a = np.einsum("si,ij->sij", nu(activation("tanh"), z), np.eye(m))
            else:
                arrays["outer_weights"] = self.random.standard_normal((2, m + 1)).astype(dtype)
                command += ["--outer-activation", "softmax"]
                c = arrays["outer_weights"].astype(float)
                o = softmax_covariance(with_bias(f(z)) @ c.T)
                half = slope(z)[:, :, None] * c[:, :m].T[None, :, :]
                a = np.einsum("sil,slk,sjk->sij", half, o, half)
        expected = np.kron(a.mean(0), bias.T @ bias / n)
        what = f"{' '.join(command)}, n {n}, inputs {inputs}, m {m}, {np.dtype(dtype).name}"
        found = self.run(["rfim"] + command, **arrays)
        self.compare(found, expected, 1e-11 if dtype == np.float64 else 1e-4, what)
        self.solve(command, arrays, expected, m, inputs + 1, dtype, what, 10)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: check_rfim.py FISHER [SEED]")
    checker = Checker(sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else 0)
    names = ["tanh", "sigm", "relu", "elu", "linear", "softplus", "leaky-relu", "gelu", "silu"]
    options = {"relu": [{}, {"omega": 0.5, "iota": 0.1}, {"omega": 0.0}], "elu": [{}, {"alpha": 0.3}]}
    shapes = [(1, 1, 1), (1, 4, 3), (7, 3, 1), (9, 5, 4), (30, 2, 3)]
    turn = 0
    for dtype in (np.float64, np.float32):
        for name in names:
            for chosen in options.get(name, [{}]):
                for kind in ("neuron", "layer", "two-layers"):
                    n, inputs, m = shapes[turn % len(shapes)]
                    outer = (names + ["softmax"])[turn % (len(names) + 1)]
                    checker.system(kind, n, inputs, m, [1.0, 30.0][turn % 2], dtype, name, chosen, 1 + turn % 3, outer)
                    turn += 1
        for n, inputs, m in shapes:
            for scale in (1.0, 30.0):
                checker.system("softmax", n, inputs, m, scale, dtype, "linear", {}, 1, "softmax")
            for kind in ("layer", "softmax", "two-layers"):
                checker.kronecker(kind, n, inputs, m, dtype)
        one = (1, 1)
        for name in ("tanh", "relu", "sigm", "linear"):
            checker.convolution((3, 5, 4, 2), 3, dtype, name, (3, 2), one, (1, 0), one, 1)
            checker.convolution((2, 6, 6, 4), 6, dtype, name, (2, 2), (2, 1), (1, 1), (1, 2), 2)
            checker.convolution((2, 4, 4, 3), 3, dtype, name, (3, 3), one, (1, 1), one, 3)
            checker.convolution((4, 1, 7, 3), 2, dtype, name, (1, 3), (1, 2), (0, 1), one, 1)
            checker.convolution((5, 1, 1, 4), 3, dtype, name, one, one, (0, 0), one, 1)
        for shape in ((6, 4), (3, 5, 4), (2, 3, 2, 4)):
            for kind in ("layer-norm", "rms-norm", "batch-norm"):
                checker.normalisation(kind, shape, 1, dtype)
            checker.normalisation("group-norm", shape, 2, dtype)
    print(f"{checker.count} results agree with NumPy")


if __name__ == "__main__":
    main()
