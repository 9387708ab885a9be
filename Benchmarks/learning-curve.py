#!/usr/bin/env python3
"""Draws the learning curves of runs of `fisher train` as an SVG: mean train cross-entropy by epoch and by second.

Usage: learning-curve.py --out FILE.svg NAME=RUN.jsonl...

Needs nothing but Python's standard library.
"""

import argparse
import json
import math
import sys

COLOURS = ["#b3261e", "#d97706", "#1d4ed8", "#0f766e", "#6b7280"]
WIDTH, HEIGHT = 880, 380
LEFT, RIGHT, TOP, BOTTOM, GAP = 62, 20, 64, 52, 70
PANEL = (WIDTH - LEFT - RIGHT - GAP) / 2


def read_run(argument):
    name, separator, path = argument.partition("=")
    if not separator or not name or not path:
        sys.exit(f"learning-curve: expected NAME=RUN.jsonl, found {argument}")
    try:
        with open(path, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        epochs = [line for line in lines if "epoch" in line]
        points = [(e["epoch"], e["seconds"], e["train_loss"]) for e in epochs]
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"learning-curve: {path}: expected the log of a run, found {error!r}")
    if not points:
        sys.exit(f"learning-curve: {path}: expected an epoch or more, found none")
    return name, points


def linear_axis(values):
    """Where a value lies between 0 and 1, and the round values to mark."""
    largest = max(values)
    raw = largest / 6
    power = 10 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
    return lambda value: value / largest, [i * step for i in range(int(largest / step + 1e-9) + 1)]


def logarithmic_axis(values):
    """The same for a scale of equal ratios."""
    start, end = math.log10(min(values)), math.log10(max(values))
    span = end - start or 1
    marks = [f * 10.0**e for e in range(math.floor(start), math.ceil(end) + 1) for f in (1, 2, 5)]
    return lambda value: (math.log10(value) - start) / span, [v for v in marks if min(values) <= v <= max(values)]


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def text(x, y, content, anchor="middle", size=12, extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" {extra}>{escape(content)}</text>'


def panel(left, title, runs, column, axis, low, high):
    """One pair of axes; column 0 of a point is its epoch, 1 its seconds."""
    bottom, top = HEIGHT - BOTTOM, TOP
    place, marks = axis([point[column] for _, points in runs for point in points])

    def x_of(value):
        return left + PANEL * place(value)

    def y_of(loss):
        return bottom - (bottom - top) * (loss - low) / (high - low)

    out = [text(left + PANEL / 2, HEIGHT - 12, title, size=13)]
    for tick in marks:
        out.append(f'<line x1="{x_of(tick):.1f}" y1="{bottom}" x2="{x_of(tick):.1f}" y2="{bottom + 5}" class="axis"/>')
        out.append(text(x_of(tick), bottom + 19, f"{tick:g}"))
    loss = math.ceil(low / 0.05 - 1e-9) * 0.05
    while loss <= high + 1e-9:
        out.append(f'<line x1="{left}" y1="{y_of(loss):.1f}" x2="{left + PANEL:.1f}" y2="{y_of(loss):.1f}" class="grid"/>')
        out.append(text(left - 8, y_of(loss) + 4, f"{loss:.2f}", anchor="end"))
        loss += 0.05
    out.append(f'<path d="M{left},{top}V{bottom}H{left + PANEL:.1f}" class="axis"/>')
    for (_, points), colour in zip(runs, COLOURS):
        path = " ".join(f"{x_of(point[column]):.1f},{y_of(point[2]):.1f}" for point in points)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.2"/>')
        for point in points:
            out.append(f'<circle cx="{x_of(point[column]):.1f}" cy="{y_of(point[2]):.1f}" r="2.8" fill="{colour}"/>')
    return out


def legend(runs):
    out, x = [], LEFT
    for (name, _), colour in zip(runs, COLOURS):
        out.append(f'<line x1="{x}" y1="42" x2="{x + 24}" y2="42" stroke="{colour}" stroke-width="3"/>')
        out.append(text(x + 30, 46, name, anchor="start"))
        x += 54 + 8 * len(name)
    return out


def draw(runs):
    losses = [point[2] for _, points in runs for point in points]
    low, high = math.floor(min(losses) / 0.05) * 0.05, math.ceil(max(losses) / 0.05) * 0.05
    if high <= low:
        high = low + 0.05
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="Helvetica, Arial, sans-serif" fill="#1f2937">',
        "<style>.axis{stroke:#374151;fill:none}.grid{stroke:#e5e7eb}</style>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        text(LEFT, 24, "Mean train cross-entropy", anchor="start", size=15, extra='font-weight="bold"'),
    ]
    parts += legend(runs)
    parts += panel(LEFT, "epoch", runs, 0, linear_axis, low, high)
    parts += panel(LEFT + PANEL + GAP, "seconds of training (logarithmic)", runs, 1, logarithmic_axis, low, high)
    return "\n".join(parts + ["</svg>", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, metavar="FILE.svg")
    parser.add_argument("runs", nargs="+", metavar="NAME=RUN.jsonl")
    arguments = parser.parse_args()
    if len(arguments.runs) > len(COLOURS):
        sys.exit(f"learning-curve: expected at most {len(COLOURS)} runs, found {len(arguments.runs)}")
    picture = draw([read_run(run) for run in arguments.runs])
    with open(arguments.out, "w", encoding="utf-8") as file:
        file.write(picture)


if __name__ == "__main__":
    main()
