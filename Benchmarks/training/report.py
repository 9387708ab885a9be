"""The page: all that was found, from the file of answers alone."""

import json
import os

import engine
import exact
import growth
import memory
import model_steps
import quality
import race_page
import steps
from curves import median

PAGES = {
    "quality": ("Quality: auto against exact", quality.page),
    "steps": ("Time of a step", steps.page),
    "exact": ("The exact metric against plain PyTorch", exact.page),
    "memory": ("Memory", memory.page),
    "growth": ("Growth with the sizes", growth.page),
    "model-steps": ("Time of a step and memory", model_steps.page),
}
# A load above this, or as many cores kept busy by others, and the figures are not to be trusted.
HIGH_LOAD, HIGH_OTHERS = 1.5, 0.2

INTRODUCTION = """# Results of {what} against peers

Written by `{script}`. Task: {data}, networks with relu, softmax cross-entropy, float; L2 is 10⁻³ on \
weights where no setting says otherwise. The seconds are those of training alone. One process computes at a time, after \
{quiet:g} s of quiet, ours and the peers' by turns, all figures of a section from one run; medians over seeds. The peers start from \
the same weights as each other and see the same batches in the same order; ours draws its own, of the same \
distributions. Ratios above 1 mean that ours took less time. Figures of different runs or machines do not compare; \
ratios within one do.
"""


# Races stand between the first and the rest.
FIRST = "quality"


def page(answers):
    runs = answers["runs"]
    sections = in_order({name: found for run in runs for name, found in run["sections"].items()})
    is_modular = any(name == "model-steps" or "model" in found.get("plan", {}) for name, found in sections.items())
    what = {"what": "convolutional networks", "script": "scripts/modular-results"} if is_modular else {
        "what": "training", "script": "scripts/training-results"}
    parts = [INTRODUCTION.format(**runs[-1]["conditions"], **what)]
    for run in runs:
        measured = "" if len(runs) == 1 else f"Measured together: {', '.join(map(title, in_order(run['sections']).items()))}.\n\n"
        parts.append(measured + conditions(run["conditions"]) + "\n")
    for name, found in sections.items():
        if "failed" in found:
            text = f"This section failed: {found['failed']}"
        else:
            text = race_page.page(found) if "plan" in found else PAGES[name][1](found)
        parts.append(f"## {title((name, found))}\n\n{text.strip()}\n")
    by_engine = engine.page({name: found for name, found in sections.items() if "failed" not in found})
    if by_engine:
        parts.append(f"## RNGD against Muon on the same engine\n\n{by_engine}\n")
    plans = [found["plan"] for found in sections.values() if "plan" in found]
    if plans:
        parts.append("## The plans\n\n" + "\n\n".join(map(plan_text, plans)) + "\n")
    return "\n".join(parts)


def title(section):
    name, found = section
    return found["title"] if "failed" in found else found["plan"]["title"] if "plan" in found else PAGES[name][0]


def in_order(sections):
    """
    >>> list(in_order({"steps": 1, "wide": 2, "quality": 3, "short": 4}))
    ['quality', 'wide', 'short', 'steps']
    """
    rest = list(PAGES)
    return dict(sorted(sections.items(), key=lambda pair: -1 if pair[0] == FIRST else
                       rest.index(pair[0]) if pair[0] in rest else 0))


def kept(answers, measured):
    """The runs of earlier answers without the sections that were measured again.

    >>> kept({"runs": [{"sections": {"a": 1, "b": 2}}, {"sections": {"b": 3}}]}, ["b"])
    [{'sections': {'a': 1}}]
    """
    runs = [run | {"sections": {k: v for k, v in run["sections"].items() if k not in measured}} for run in answers["runs"]]
    return [run for run in runs if run["sections"]]


def plan_text(plan):
    """What was raced, a line of JSON for each contender."""
    head = {k: v for k, v in plan.items() if k != "contenders"}
    lines = [json.dumps(head, ensure_ascii=False)]
    for contender in plan["contenders"]:
        lines.append(json.dumps(contender, ensure_ascii=False))
    return "```json\n" + "\n".join(lines) + "\n```"


def conditions(given):
    """The machine, versions, the command, and whether others were computing."""
    versions = ", ".join(f"{name} {version}" for name, version in given["versions"].items())
    lines = [f"- {given['machine']}; every process has {given['threads']} threads.",
             f"- {versions}.", f"- `{given['command']}`"]
    load, others = given["load"], given["others"]
    busy = f"- Load when it started: {load:.2f}."
    if others:
        busy += (f" Cores that others kept busy during a run: median {median(others):.2f}, at most {max(others):.2f}, in "
                 f"{len(others)} runs of half a second or more.")
    lines.append(busy)
    if load > HIGH_LOAD or (others and median(others) > HIGH_OTHERS):
        lines.append("- **Warning: the machine was not quiet; times are too long, and their ratios rough.**")
    return "\n".join(lines)


def write_whole(path, text):
    """Never half a file."""
    with open(path + ".partial", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".partial", path)


def rounded(value):
    """Floats of seven digits, which is more than a clock has.

    >>> rounded({"a": [0.123456789, 2, None]})
    {'a': [0.1234568, 2, None]}
    """
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.7g}") if isinstance(value, float) else value


def write(path, answers):
    """The page, and the answers beside it."""
    text = json.dumps(answers, ensure_ascii=False, separators=(",", ":"))
    write_whole(answers_path(path), text + "\n")
    write_whole(path, page(json.loads(text)))


def read(path):
    """The answers beside a page, none where there are none."""
    try:
        with open(answers_path(path), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {"runs": []}


def answers_path(path):
    """
    >>> answers_path("a/RESULTS.md"), answers_path("page")
    ('a/RESULTS.json', 'page.json')
    """
    return path.removesuffix(".md") + ".json"
