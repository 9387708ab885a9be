#!/usr/bin/env python3
"""Checks the models that `fisher train --save` writes against the reference implementation of safetensors, and against
networks of a few lines in NumPy.

Usage: check_safetensors.py FISHER [SEED]

For every activation, with batch normalisation and without: Python reads the file; the network, computed in float64 from
its tensors and its metadata, gives the probabilities, classes, loss and accuracy that `fisher predict` and `fisher
evaluate` give. The same tensors written by Python, in any order, as float64 and as float16, are read by the tool. Damaged
files that the tool takes are files that the reference takes too. Exit status 3 where Python has no safetensors.
"""

import json
import os
import random
import struct
import subprocess
import sys
import tempfile

import numpy as np

from check_rfim import activation

try:
    import safetensors
    import safetensors.numpy
except ImportError:
    sys.exit(3)

NAMES = ["tanh", "sigm", "relu", "elu", "linear", "softplus", "leaky-relu", "gelu", "silu"]
WIDTH, CLASSES = 12, 5


def write_images(folder, generator):
    """The four files of an image folder. Returns the test set's features and labels."""
    for prefix, count in (("train", 300), ("t10k", 137)):
        labels = generator.integers(0, CLASSES, count).astype(np.uint8)
        images = generator.integers(0, 120, (count, 3, 4)).astype(np.uint8)
        images[np.arange(count), labels % 3, labels % 4] += 130
        with open(os.path.join(folder, f"{prefix}-images-idx3-ubyte"), "wb") as file:
            file.write(struct.pack(">BBBBIII", 0, 0, 8, 3, count, 3, 4) + images.tobytes())
        with open(os.path.join(folder, f"{prefix}-labels-idx1-ubyte"), "wb") as file:
            file.write(struct.pack(">BBBBI", 0, 0, 8, 1, count) + labels.tobytes())
    return images.reshape(count, WIDTH).astype(float), labels


def probabilities(tensors, metadata, x):
    """What the network in a file makes of features, by its tensors and by what the metadata says of its layers."""
    architecture = json.loads(metadata["fisherkit"])
    x = x / architecture["features"]["divided_by"]
    for index, layer in enumerate(architecture["layers"]):
        weight, bias = (tensors[f"layers.{index}.{name}"].astype(float) for name in ("weight", "bias"))
        if layer["kind"] == "dense":
            chosen = layer["activation"]
            x = activation(chosen["name"], **chosen["parameters"])[0](x @ weight.T + bias)
        else:
            mean, variance = (tensors[f"layers.{index}.running_{name}"].astype(float) for name in ("mean", "var"))
            x = weight * (x - mean) / np.sqrt(variance + layer["epsilon"]) + bias
    x = np.exp(x - x.max(axis=1, keepdims=True))
    return x / x.sum(axis=1, keepdims=True)


class Checker:
    def __init__(self, fisher, seed):
        self.fisher = fisher
        self.generator = np.random.default_rng(seed)
        self.random = random.Random(seed)
        self.count = 0

    def run(self, *arguments, may_fail=False):
        result = subprocess.run([self.fisher, *arguments], capture_output=True, text=True)
        if result.returncode != 0 and not may_fail:
            sys.exit(f"check_safetensors: fisher {' '.join(arguments)}: {result.stderr}")
        return result

    def require(self, is_so, what):
        self.count += 1
        if not is_so:
            sys.exit(f"check_safetensors: {what}")

    def predict(self, path, *flags):
        self.run("predict", path, "--data", self.folder, "--out", self.out, *flags)
        return np.load(self.out)

    def compare(self, path, tensors, metadata, tolerance, what):
        """What the tool makes of a file, against what its tensors say. (float32 is off by its rounding.)"""
        expected = probabilities(tensors, metadata, self.x)
        found = self.predict(path)
        self.require(found.dtype == np.float32 and found.shape == expected.shape, f"{what}: {found.dtype} {found.shape}")
        self.require(np.abs(found - expected).max() < tolerance, f"{what}: {np.abs(found - expected).max()} apart")
        classes = self.predict(path, "--classes")
        self.require(classes.dtype == np.int64 and (classes == found.argmax(axis=1)).all(), f"{what}: classes")
        score = json.loads(self.run("evaluate", path, "--data", self.folder, "--json").stdout)
        loss = -np.log(expected[np.arange(len(self.labels)), self.labels]).mean()
        self.require(abs(score["loss"] - loss) < 10 * tolerance * (1 + loss), f"{what}: loss {score['loss']}, not {loss}")
        self.require(score["accuracy"] == (classes == self.labels).mean(), f"{what}: accuracy {score['accuracy']}")
        confusion = np.zeros((CLASSES, CLASSES), int)
        np.add.at(confusion, (self.labels, classes), 1)
        self.require((confusion == score["confusion"]).all(), f"{what}: confusion")

    def model(self, folder, name, flags):
        path = os.path.join(folder, "model.safetensors")
        self.run(
            "train", "--data", self.folder, "--epochs", "2", "--batch", "20", "--shape", f"{WIDTH},8,6,{CLASSES}",
            "--quiet", "--activation", name, "--save", path, *flags)
        what = f"{name} {' '.join(flags)}"
        tensors = safetensors.numpy.load_file(path)
        with safetensors.safe_open(path, "np") as file:
            metadata = file.metadata()
        self.require(tensors["layers.0.weight"].shape == (8, WIDTH), what)
        self.compare(path, tensors, metadata, 1e-5, what)
        # as Python writes it, by which the order of tensors is another
        ours = self.predict(path)
        names = list(tensors)
        self.random.shuffle(names)
        other = os.path.join(folder, "python.safetensors")
        safetensors.numpy.save_file({name: tensors[name] for name in names}, other, metadata=metadata)
        self.require((self.predict(other) == ours).all(), f"{what}: not the same from Python's file")
        for dtype, tolerance in ((np.float64, 1e-6), (np.float16, 1e-5)):
            rounded = {name: tensor.astype(dtype) for name, tensor in tensors.items()}
            safetensors.numpy.save_file(rounded, other, metadata=metadata)
            self.compare(other, rounded, metadata, tolerance, f"{what}, {np.dtype(dtype)}")

    def damage(self, folder, rounds):
        """What we take of damaged files, the reference takes."""
        path = os.path.join(folder, "damaged.safetensors")
        arrays = {"a": np.ones((2, 3), np.float32), "b": np.zeros((), np.float64), "é": np.ones(5, np.float16)}
        good = safetensors.numpy.save(arrays, metadata={"k": "text"})
        length = struct.unpack("<Q", good[:8])[0]
        counts = {True: 0, False: 0}
        for _ in range(rounds):
            damaged = bytearray(good)
            for _ in range(self.random.choice([1, 1, 2])):
                place = self.random.randrange(8 + length) if self.random.random() < 0.95 else self.random.randrange(8)
                damaged[place] = self.random.choice(list(b'0123456789,:{}[]"\\ ') + [self.random.randrange(256)])
            with open(path, "wb") as file:
                file.write(damaged)
            status = self.run("inspect", path, may_fail=True).returncode
            self.require(status in (0, 65), f"inspect of a damaged file ends with {status}: {bytes(damaged)}")
            counts[status == 0] += 1
            if status == 0:
                try:
                    safetensors.numpy.load(bytes(damaged))
                except Exception as error:
                    sys.exit(f"check_safetensors: expected a refusal ({error}), found none: {bytes(damaged)}")
        self.require(counts[True] > 0 and counts[False] > rounds // 4, f"damaged files: {counts}")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: check_safetensors.py FISHER [SEED]")
    checker = Checker(sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else 0)
    with tempfile.TemporaryDirectory(prefix="check-safetensors-") as folder:
        checker.folder, checker.out = folder, os.path.join(folder, "p.npy")
        checker.x, checker.labels = write_images(folder, checker.generator)
        options = {"relu": [[], ["--iota", "0.2", "--omega", "0.5"]], "elu": [["--alpha", "0.3"]]}
        for name in NAMES:
            for flags in options.get(name, [[]]):
                for more in ([], ["--batch-norm"]):
                    checker.model(folder, name, flags + more)
        checker.damage(folder, 200)
    print(f"{checker.count} results agree with safetensors {safetensors.__version__} and NumPy")


if __name__ == "__main__":
    main()
