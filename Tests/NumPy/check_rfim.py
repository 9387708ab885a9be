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
    print(f"{checker.count} results agree with NumPy")


if __name__ == "__main__":
    main()
