"""Schedules of the rate, in the words of `fisher train --schedule`: what the rate is multiplied by at each step."""

import math
import re

SHAPES = ("constant", "linear", "cosine")
SYNTAX = "constant, linear or cosine, behind warm-up:N%+ or not"


def parse(text):
    """The share of the horizon that warms up, and the shape behind it; ValueError with what was expected.

    >>> parse("cosine"), parse("warm-up:5%"), parse("warm-up:2.5%+linear")
    ((0.0, 'cosine'), (0.05, 'constant'), (0.025, 'linear'))
    >>> parse("warm-up:100%")
    Traceback (most recent call last):
    ValueError: expected constant, linear or cosine, behind warm-up:N%+ or not, found warm-up:100%
    """
    found = re.fullmatch(r"(?:warm-up:(\d+(?:\.\d+)?)%)?(\+)?([a-z]+)?", text)
    if found:
        warm, plus, shape = found.groups()
        together = bool(plus) == (warm is not None and shape is not None)
        if together and (warm or shape) and (shape or "constant") in SHAPES and float(warm or 0) < 100:
            return float(warm or 0) / 100, shape or "constant"
    raise ValueError(f"expected {SYNTAX}, found {text}")


def decays(text):
    """Whether the rate is zero at the end of the horizon, so that the run ends there.

    >>> decays("constant"), decays("warm-up:5%"), decays("warm-up:5%+cosine")
    (False, False, True)
    """
    return parse(text)[1] != "constant"


def factor(text, step, steps):
    """At a step, counted from 0, of a horizon of so many. The last step of a horizon still moves.

    >>> [factor("linear", step, 4) for step in range(5)]
    [1.0, 0.75, 0.5, 0.25, 0.0]
    >>> [factor("warm-up:50%", step, 4) for step in range(5)]
    [0.5, 1.0, 1.0, 1.0, 1.0]
    >>> round(factor("cosine", 2, 4), 12), factor("constant", 9, 4)
    (0.5, 1.0)
    """
    warm, shape = parse(text)
    warm_steps = warm * steps
    if step + 1 <= warm_steps:
        return (step + 1) / warm_steps
    if shape == "constant":
        return 1.0
    done = min(1.0, max(0.0, (step - warm_steps) / max(1.0, steps - warm_steps)))
    return 1 - done if shape == "linear" else (1 + math.cos(math.pi * done)) / 2
