#!/usr/bin/env python3
"""Checks that `fisher solve` is right or refuses, where the Fisher matrix is badly conditioned.

Usage: check_solves.py FISHER [SEED | all]

Features of scale 1 to 1,000, fewer samples than features, as many, or more, and dampings from 1e-6 to 1, by every
route, in float32 and float64. The matrix is formed from the definition and solved in extended precision
(numpy.longdouble) from the very numbers that the tool is given. A direction is off by no more than 1e-6 in norm, each
neuron's where neurons are not coupled, or it is refused with exit status 65 and one line; `auto` finds one always. A
seed draws a few hundred solves; `all` takes the whole grid.
"""

import itertools
import os
import random
import subprocess
import sys
import tempfile

import numpy as np

from check_rfim import activation, blocks, coupled, nu, softmax_covariance, with_bias

TOLERANCE = 1e-6
NAMES = ["tanh", "sigm", "relu", "elu", "linear", "softplus", "leaky-relu", "gelu", "silu"]
KINDS = (
    [("neuron", name) for name in NAMES]
    + [("layer", name) for name in NAMES]
    + [("shared", "tanh"), ("softmax", None)]
    + [("two-layers", name) for name in NAMES]
)
OUTERS = ["softmax", "sigm", "linear", "tanh"]
SAMPLES = {"fewer": 5, "as many": 9, "more": 40}
INPUTS, NEURONS, OUTPUTS = 8, 3, 2
GRID = list(
    itertools.product(
        KINDS, SAMPLES, [1.0, 30.0, 300.0, 1000.0], [1e-6, 1e-4, 1e-2, 1.0], ["float32", "float64"], [False, True]
    )
)
ROUTES = ["auto", "dense", "low-rank", "conjugate-gradients"]


def extended(array):
    return np.asarray(array).astype(np.longdouble)


def solve(matrix, right, damping):
    """(matrix + damping I)^-1 right by Cholesky factors, in the precision of the matrix."""
    d = len(right)
    a = matrix + np.longdouble(damping) * np.eye(d, dtype=np.longdouble)
    x = right.copy()
    for k in range(d):
        a[k:, k] /= np.sqrt(a[k, k])
        for j in range(k + 1, d):
            a[j:, j] -= a[j:, k] * a[j, k]
    for k in range(d):
        x[k] = (x[k] - a[k, :k] @ x[:k]) / a[k, k]
    for k in reversed(range(d)):
        x[k] = (x[k] - a[k + 1 :, k] @ x[k + 1 :]) / a[k, k]
    return x


class Case:
    """A subsystem's arrays, the flags that name it, and its matrix in extended precision."""

    def __init__(self, generator, kind, name, n, scale, dtype, is_far):
        m = 1 if kind == "neuron" else NEURONS
        x = (generator.standard_normal((n, INPUTS)) * scale).astype(dtype)
        # weights that keep neurons where they have a slope, or send most of them far off
        w = generator.standard_normal((m, INPUTS + 1)) / (1 if is_far else scale * np.sqrt(INPUTS))
        self.arrays = {"inputs": x, "weights": w.astype(dtype)}
        self.arrays["gradient"] = generator.standard_normal((m, INPUTS + 1)).astype(dtype)
        bias, w = with_bias(extended(x)), extended(self.arrays["weights"])
        z = bias @ w.T
        self.is_coupled = kind in ("softmax", "two-layers")
        self.command = ["--subsystem", "layer" if kind == "shared" else kind]
        if kind == "softmax":
            self.matrix = coupled(softmax_covariance(z), bias)
            return
        self.command += ["--activation", name]
        if kind == "shared":
            self.command += ["--metric", "shared"]
        function = activation(name)
        if kind != "two-layers":
            self.matrix = blocks(np.ones_like(z) if kind == "shared" else nu(function, z), bias)
            return
        outer = OUTERS[generator.integers(len(OUTERS))]
        c = generator.standard_normal((OUTPUTS, m + 1)) / (1 if not is_far else np.sqrt(m) * scale)
        self.arrays["outer_weights"] = c.astype(dtype)
        self.command += ["--outer-activation", outer]
        c = extended(self.arrays["outer_weights"])
        f, slope, _ = function
        above = with_bias(f(z)) @ c.T
        if outer == "softmax":
            o = softmax_covariance(above)
        else:
            o = np.einsum("sl,lk->slk", nu(activation(outer), above), np.eye(OUTPUTS))
        half = slope(z)[:, :, None] * c[:, :m].T[None, :, :]
        self.matrix = coupled(np.einsum("sil,slk,sjk->sij", half, o, half), bias)

    def expected(self, damping):
        v = extended(self.arrays["gradient"])
        if self.is_coupled:
            return solve(self.matrix, v.ravel(), damping).reshape(v.shape)
        return np.stack([solve(block, row, damping) for block, row in zip(self.matrix, v)])

    def error(self, found, expected):
        axis = None if self.is_coupled else 1
        sizes = np.sqrt((expected**2).sum(axis=axis))
        return float((np.sqrt(((found - expected) ** 2).sum(axis=axis)) / sizes).max())


def run(fisher, folder, case, damping, route):
    """The direction, or what the tool says instead of one."""
    out = os.path.join(folder, "out.npy")
    command = [fisher, "solve"] + case.command + ["--damping", repr(damping), "--route", route, "--out", out]
    for flag, array in case.arrays.items():
        path = os.path.join(folder, flag + ".npy")
        np.save(path, array)
        command += ["--" + flag.replace("_", "-"), path]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode == 0:
        return np.load(out), None
    if result.returncode != 65 or result.stderr.count("\n") != 1 or os.path.exists(out):
        sys.exit(f"{' '.join(command)}: expected exit status 0 or 65, found {result.returncode}: {result.stderr}")
    return None, result.stderr.strip()


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: check_solves.py FISHER [SEED | all]")
    everything = sys.argv[2:] == ["all"]
    seed = int(sys.argv[2]) if len(sys.argv) == 3 and not everything else 0
    places = GRID if everything else random.Random(seed).sample(GRID, 100)
    generator = np.random.default_rng(seed)
    checked, refused, worst, failures = 0, 0, {"float32": 0.0, "float64": 0.0}, []
    with tempfile.TemporaryDirectory(prefix="check-solves-") as folder:
        for (kind, name), n, scale, damping, dtype, is_far in places:
            case = Case(generator, kind, name, SAMPLES[n], scale, dtype, is_far)
            expected = case.expected(damping)
            for route in ROUTES:
                what = f"{' '.join(case.command)}, {n} samples, scale {scale}, damping {damping}, {dtype}, {route}"
                found, refusal = run(fisher=sys.argv[1], folder=folder, case=case, damping=damping, route=route)
                checked += 1
                if refusal:
                    refused += 1
                    if route == "auto":
                        failures.append(f"{what}: expected a direction, found {refusal}")
                    continue
                error = case.error(found, expected)
                worst[dtype] = max(worst[dtype], error)
                if found.dtype != dtype or not error <= TOLERANCE:
                    failures.append(f"{what}: expected an error of at most {TOLERANCE}, found {error}")
                os.remove(os.path.join(folder, "out.npy"))
    if failures:
        sys.exit("\n".join(failures[:20]) + f"\n{len(failures)} of {checked} solves are wrong, the worst by {max(worst.values())}")
    agree = ", ".join(f"in {dtype} to {error:.1e}" for dtype, error in worst.items())
    print(f"{checked} solves: {checked - refused} agree with NumPy, {agree}, {refused} were refused")


if __name__ == "__main__":
    main()
