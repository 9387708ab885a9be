"""The data sets of the robustness grid, as folders of IDX files. Standard library only.

usage: datasets.py OUT [FASHION-MNIST]   writes OUT/shapes and OUT/fashion, the latter the first images of the folder given
"""
import gzip, math, os, random, struct, sys

TRAINING, TEST = 7200, 1200  # of which a sixth of the training images is for validation


def write(folder, part, images, labels, size):
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/{part}-images-idx3-ubyte", "wb") as f:
        f.write(struct.pack(">IIII", 0x803, len(labels), size, size) + images)
    with open(f"{folder}/{part}-labels-idx1-ubyte", "wb") as f:
        f.write(struct.pack(">II", 0x801, len(labels)) + bytes(labels))


def shapes(count, rng, size=16):
    """Bars, rings, crosses and blobs at random places and angles, on uneven ground with noise: 8 classes."""
    images, labels = bytearray(), []
    for _ in range(count):
        kind = rng.randrange(8)
        x0, y0, angle, radius = rng.uniform(5, 10), rng.uniform(5, 10), rng.uniform(0, math.pi), rng.uniform(3, 5)
        ground, slope, ink = rng.uniform(0, 80), rng.uniform(-4, 4), rng.uniform(90, 170)
        c, s = math.cos(angle), math.sin(angle)
        for y in range(size):
            for x in range(size):
                u, v = c * (x - x0) + s * (y - y0), -s * (x - x0) + c * (y - y0)
                r = math.hypot(u, v)
                on = (
                    abs(v) < 1 and abs(u) < radius, abs(r - radius) < 0.9,
                    min(abs(u), abs(v)) < 0.8 and r < radius, r < radius * 0.7,
                    max(abs(u), abs(v)) < radius * 0.7, abs(max(abs(u), abs(v)) - radius * 0.8) < 0.8,
                    abs(abs(v) - 2) < 0.8 and abs(u) < radius, abs(v) < 1 and abs(u) < radius or abs(r - radius) < 0.7,
                )[kind]
                value = ground + slope * x + (ink if on else 0) + rng.gauss(0, 18)
                images.append(min(255, max(0, int(value))))
        labels.append(kind)
    return bytes(images), labels


def first(path, count, header):
    with gzip.open(path) as f:
        data = f.read()
    each = 784 if header == 16 else 1
    return data[header : header + count * each]


def main():
    out = sys.argv[1]
    rng = random.Random(0)
    write(f"{out}/shapes", "train", *shapes(TRAINING, rng), 16)
    write(f"{out}/shapes", "t10k", *shapes(TEST, rng), 16)
    if len(sys.argv) > 2:
        for part, count in (("train", TRAINING), ("t10k", TEST)):
            images = first(f"{sys.argv[2]}/{part}-images-idx3-ubyte.gz", count, 16)
            labels = list(first(f"{sys.argv[2]}/{part}-labels-idx1-ubyte.gz", count, 8))
            write(f"{out}/fashion", part, images, labels, 28)


if __name__ == "__main__":
    main()
