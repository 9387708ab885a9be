"""What the peers train: perceptrons by their widths, and networks by the names that `fisher train --model` has for them.

A network is a list of layers, each a dictionary: {"kind": "convolution", "channels": 1, "outputs": 16, "relu": true} (3 × 3,
padding 1), {"kind": "norm", "channels": 16} (of groups of 4 channels over a sample's positions), {"kind": "pool"} (the largest
of 2 × 2), {"kind": "mean"} (over all positions), {"kind": "dense", "inputs": 784, "outputs": 80, "relu": true}, and between
{"kind": "skip"} and {"kind": "add"} the branch of a residual block.
"""

import math

CLASSES = 10
SIDE = 28
GROUP = 4
# Those that have weights.
WEIGHTED = ("convolution", "dense", "norm")


def block(channels):
    return [("skip",), ("convolution", channels), ("convolution", channels, False), ("norm",), ("add",)]


MODELS = {
    "cnn": [("convolution", 16), ("pool",), ("convolution", 32), ("pool",), ("dense", 64), ("dense", CLASSES, False)],
    "residual-cnn": [
        ("convolution", 16), ("pool",), *4 * block(16), ("convolution", 32), ("pool",), *5 * block(32), ("mean",),
        ("dense", CLASSES, False)],
}


def layers(request, width):
    """
    >>> layers({"hidden": [80]}, 784)[1]
    {'kind': 'dense', 'inputs': 80, 'outputs': 10, 'relu': False}
    >>> [layer.get("inputs", layer.get("channels")) for layer in layers({"model": "cnn", "hidden": []}, 784)]
    [1, None, 16, None, 1568, 64]
    >>> sum(layer["kind"] == "convolution" for layer in layers({"model": "residual-cnn"}, 784))
    20
    """
    if not request.get("model"):
        widths = [width, *request["hidden"], CLASSES]
        return [{"kind": "dense", "inputs": d, "outputs": m, "relu": i < len(widths) - 2}
                for i, (d, m) in enumerate(zip(widths, widths[1:]))]
    if width != SIDE * SIDE:
        raise ValueError(f"model: expected images of {SIDE}x{SIDE}, found {width} features")
    side, channels, inputs, found = SIDE, 1, None, []
    for kind, *rest in MODELS[request["model"]]:
        layer = {"kind": kind}
        if kind == "convolution":
            layer |= {"channels": channels, "outputs": rest[0], "relu": rest[1] if len(rest) > 1 else True}
            channels = rest[0]
        elif kind == "norm":
            layer |= {"channels": channels}
        elif kind == "pool":
            side //= 2
        elif kind == "mean":
            side = 1
        elif kind == "dense":
            layer |= {"inputs": inputs or side * side * channels, "outputs": rest[0]}
            layer["relu"], inputs = rest[1] if len(rest) > 1 else True, rest[0]
        found.append(layer)
    return found


def weighted(network):
    return [layer for layer in network if layer["kind"] in WEIGHTED]


def fans(layer):
    """What a neuron sees, and how many weights an input goes into.

    >>> fans({"kind": "convolution", "channels": 16, "outputs": 32})
    (144, 288)
    """
    if layer["kind"] == "convolution":
        return 9 * layer["channels"], 9 * layer["outputs"]
    return layer["inputs"], layer["outputs"]


def starting_weights(network, seed):
    """m × d each, uniform in ±√(6/(fan in + fan out)), None of a norm; a convolution's d is window row, window column, channel."""
    import numpy as np

    draw, weights = np.random.default_rng(seed), []
    for layer in weighted(network):
        if layer["kind"] == "norm":
            weights.append(None)
            continue
        d, out = fans(layer)
        limit = math.sqrt(6 / (d + out))
        weights.append((draw.uniform(-1, 1, (layer["outputs"], d)) * limit).astype(np.float32))
    return weights
