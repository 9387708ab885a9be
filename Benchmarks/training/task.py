"""What the peers learn: the same for all of them."""

import gzip
import os

import numpy as np


def idx(folder, name):
    path = os.path.join(folder, name)
    file = open(path, "rb") if os.path.exists(path) else gzip.open(path + ".gz", "rb")
    with file:
        raw = file.read()
    rank = raw[3]
    shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank)]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)


def samples(folder):
    """Images and labels to train on, and those to validate on, which are the last sixth of the training files."""
    x, y = idx(folder, "train-images-idx3-ubyte"), idx(folder, "train-labels-idx1-ubyte")
    x, y = (x.reshape(len(x), -1) / 255).astype(np.float32), y.astype(np.int32)
    count = len(x) - max(1, len(x) // 6)
    return (x[:count], y[:count]), (x[count:], y[count:])

