"""Images to learn from, of any size, as the four IDX files of a folder."""

import gzip
import math
import os
import random

CLASSES, COMMON = 10, 24


def write(folder, width, training, test=64, seed=0):
    """`training` + `test` images of 1 × `width` pixels: a pattern for the class, two of 24 that all share, and noise.

    So the inputs have some thirty strong directions and a floor of noise, as photographs do. Every summand of a pixel
    is at most 63, so whole images are added as long integers, byte by byte without a carry.
    """
    generator = random.Random(seed)
    mask = int.from_bytes(b"\x3f" * width, "little")

    def pattern():
        return int.from_bytes(generator.randbytes(width), "little") & mask

    classes, common = [pattern() for _ in range(CLASSES)], [pattern() for _ in range(COMMON)]
    os.makedirs(folder, exist_ok=True)
    for prefix, count in (("train", training), ("t10k", test)):
        # (each class is among the labels)
        labels = bytes(i if i < CLASSES else generator.randrange(CLASSES) for i in range(count))
        with open(os.path.join(folder, f"{prefix}-labels-idx1-ubyte"), "wb") as file:
            file.write(b"\0\0\x08\x01" + count.to_bytes(4, "big") + labels)
        with open(os.path.join(folder, f"{prefix}-images-idx3-ubyte"), "wb") as file:
            file.write(b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in (count, 1, width)))
            for label in labels:
                image = classes[label] + generator.choice(common) + generator.choice(common) + pattern()
                file.write(image.to_bytes(width, "little"))
    return folder


def training_samples(folder):
    """How many samples there are to train on, and of how many inputs: a sixth is for validation."""
    path = os.path.join(folder, "train-images-idx3-ubyte")
    file = open(path, "rb") if os.path.exists(path) else gzip.open(path + ".gz", "rb")
    with file:
        _, count, *sides = (int.from_bytes(file.read(4), "big") for _ in range(4))
    return count - max(1, count // 6), math.prod(sides)
