"""What the peers learn and where they start: the same for all of them."""

import gzip
import math
import os

import numpy as np

# On weights, not on biases.
L2 = 1e-3


def idx(folder, name):
    path = os.path.join(folder, name)
    file = open(path, "rb") if os.path.exists(path) else gzip.open(path + ".gz", "rb")
    with file:
        raw = file.read()
    rank = raw[3]
    shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank)]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)


def training_samples(folder):
    x, y = idx(folder, "train-images-idx3-ubyte"), idx(folder, "train-labels-idx1-ubyte")
    count = len(x) - max(1, len(x) // 6)
    return (x[:count].reshape(count, -1) / 255).astype(np.float32), y[:count].astype(np.int32)


def starting_weights(shape, seed):
    """m × d each, uniform in ±√(6/(d + m))."""
    draw = np.random.default_rng(seed)
    return [
        (draw.uniform(-1, 1, (m, d)) * math.sqrt(6 / (d + m))).astype(np.float32) for d, m in zip(shape, shape[1:])
    ]
