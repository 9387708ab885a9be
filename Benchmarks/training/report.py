"""The page: all that was found, from the file of answers alone."""

import json
import os

import exact
import growth
import memory
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
}
# A load above this, or as many cores kept busy by others, and the figures are not to be trusted.
HIGH_LOAD, HIGH_OTHERS = 1.5, 0.2

INTRODUCTION = """# Results of training against peers

Written by `scripts/training-results`. Task: {data}, networks with relu, softmax cross-entropy, float; L2 is 10⁻³ on \
weights where no setting says otherwise. The seconds are those of training alone. One process computes at a time, after \
{quiet:g} s of quiet, ours and the peers' by turns, all figures from one run; medians over seeds. The peers start from \
the same weights as each other and see the same batches in the same order; ours draws its own, of the same \
distributions. Ratios above 1 mean that ours took less time. Figures of different runs or machines do not compare; \
ratios within one do.
"""


def page(answers):
    given = answers["conditions"]
    parts = [INTRODUCTION.format(**given), conditions(given) + "\n"]
    for name, found in answers["sections"].items():
        if "failed" in found:
            title, text = found["title"], f"This section failed: {found['failed']}"
        elif "plan" in found:
            title, text = found["plan"]["title"], race_page.page(found)
        else:
            title, text = PAGES[name][0], PAGES[name][1](found)
        parts.append(f"## {title}\n\n{text.strip()}\n")
    plans = [found["plan"] for found in answers["sections"].values() if "plan" in found]
    if plans:
        parts.append("## The plans\n\n" + "\n\n".join(map(plan_text, plans)) + "\n")
    return "\n".join(parts)


def plan_text(plan):
    """What was raced, a line of JSON for each contender."""
    head = {k: v for k, v in plan.items() if k != "contenders"}
    lines = [json.dumps(head, ensure_ascii=False)]
    for contender in plan["contenders"]:
        lines.append(json.dumps({k: v for k, v in contender.items() if k != "file"}, ensure_ascii=False))
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


def answers_path(path):
    """
    >>> answers_path("a/RESULTS.md"), answers_path("page")
    ('a/RESULTS.json', 'page.json')
    """
    return path.removesuffix(".md") + ".json"
