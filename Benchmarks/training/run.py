#!/usr/bin/env python3
"""Measures FisherKit's training against its peers, and writes the report.

usage: run.py --fisher PATH [--peer-python PYTHON] [--only PART]... --out RESULTS.md

Runs `fisher train` (a release build) and, with a Python that has them, PyTorch, JAX and kfac-jax (peers.py), one
process at a time and by turns. All of it takes most of an hour on two cores, which should have nothing else to do.
Needs nothing but Python's standard library itself.
"""

import argparse
import os
import platform
import shutil
import signal
import sys
import tempfile
import traceback

# The sources stay as they are.
sys.dont_write_bytecode = True

import growth
import images
import parts
import race
import settings
from curves import median
from processes import Processes

FASHION = "/usr/share/datasets/fashion-mnist"
PARTS = {
    "quality": ("Quality: auto against exact", parts.quality),
    "time": ("Time to a loss", race.race),
    "step": ("Time of a step", parts.step),
    "exact": ("The exact metric against plain PyTorch", parts.exact),
    "memory": ("Memory", parts.memory),
    "growth": ("Growth with the sizes", growth.growth),
}
# A load above this, or as many cores kept busy by others, and the figures are not to be trusted.
HIGH_LOAD, HIGH_OTHERS = 1.5, 0.2


def refuse(flag, expected, found):
    sys.exit(f"training: {flag}: expected {expected}, found {found}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fisher", required=True, metavar="PATH", help="the built tool")
    parser.add_argument("--peer-python", metavar="PYTHON", help="a Python with torch, jax, optax and kfac-jax")
    parser.add_argument("--data", default="fashion-mnist", help="fashion-mnist (default), synthetic, or a folder")
    parser.add_argument("--only", action="append", choices=list(PARTS), metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="seeds 0 to N − 1 (default: 5)")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1), help="(default: 2)")
    parser.add_argument("--full-sweep", action="store_true", help="more settings of the peers")
    parser.add_argument("--quick", action="store_true", help="one seed, few steps: to see that it works")
    parser.add_argument("--logs", metavar="FOLDER", help="keeps the logs of all runs there")
    parser.add_argument("--out", required=True, metavar="RESULTS.md")
    given = parser.parse_args()
    for flag, path in (("--fisher", given.fisher), ("--peer-python", given.peer_python)):
        if path is not None and not (os.path.isfile(path) and os.access(path, os.X_OK)):
            refuse(flag, "a program", path)
    if given.data not in ("fashion-mnist", "synthetic") and not os.path.isdir(given.data):
        refuse("--data", "fashion-mnist, synthetic or a folder", given.data)
    if given.data == "fashion-mnist" and not os.path.isdir(FASHION):
        refuse("--data", f"the package dataset-fashion-mnist in {FASHION}", "none")
    if not os.path.isdir(os.path.dirname(os.path.abspath(given.out))):
        refuse("--out", "a file in a folder that exists", given.out)
    for flag, value in (("--seeds", given.seeds), ("--threads", given.threads)):
        if value < 1:
            refuse(flag, "1 or more", value)
    return given


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            name = next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.machine()
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        system = platform.system()
    return f"{name}, {os.cpu_count()} cores, {system}"


def conditions(given, processes):
    """The machine, versions, the command, and whether others were computing."""
    versions = ", ".join(f"{name} {version}" for name, version in processes.versions.items())
    command = ["Benchmarks/training/run.py --fisher FISHER"] + ["--peer-python PYTHON"] * bool(given.peer_python)
    command += ["--data " + (given.data if given.data in ("fashion-mnist", "synthetic") else "FOLDER")]
    command += [f"--seeds {given.seeds}"] * (not given.quick) + [f"--threads {given.threads}"]
    command += ["--full-sweep"] * given.full_sweep + ["--quick"] * given.quick
    command += [f"--only {part}" for part in given.only or ()]
    lines = [f"- {processor()}; every process has {given.threads} threads."]
    lines += [f"- {versions}.", f"- `{' '.join(command)}`"]
    busy = f"- Load when it started: {processes.load:.2f}."
    if processes.others:
        busy += (f" Cores that others kept busy during a run: median {median(processes.others):.2f}, at most "
                 f"{max(processes.others):.2f}, in {len(processes.others)} runs of half a second or more.")
    lines.append(busy)
    if processes.load > HIGH_LOAD or (processes.others and median(processes.others) > HIGH_OTHERS):
        lines.append("- **Warning: the machine was not quiet; times are too long, and their ratios rough.**")
    return "\n".join(lines)


INTRODUCTION = """# Results of training against peers

Written by `scripts/training-results`. Task: {data}, 784-80-80-80-10 with relu unless said otherwise, mini-batches of \
50, L2 10⁻³, float. The seconds are those of training alone. One process runs at a time, after {quiet:g} s of quiet, \
ours and the peers' by turns, all figures from one run; medians over seeds. The peers start from the same weights as \
each other and see the same batches in the same order; ours draws its own, of the same distributions. Ratios above 1 \
mean that ours took less time. Figures of different runs or machines do not compare; ratios within one do.
"""


def main():
    given = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = tempfile.mkdtemp(prefix="fisher-training-")
    try:
        logs = given.logs or os.path.join(folder, "logs")
        os.makedirs(logs, exist_ok=True)
        processes = Processes(given.fisher, given.peer_python, given.threads, 0 if given.quick else 1, logs)
        if not processes.versions["fisher"]:
            refuse("--fisher", "the tool `fisher`, which has a --version", given.fisher)
        if processes.load > HIGH_LOAD:
            processes.say(f"training: warning: the load is {processes.load:.2f}: wait for a quiet machine")
        data = {"fashion-mnist": FASHION}.get(given.data, given.data)
        if given.data == "synthetic":
            data = images.write(os.path.join(folder, "data"), 784, 2_400 if given.quick else 24_000)
        groups = settings.FULL if given.full_sweep else settings.PEERS
        groups = settings.quick(groups) if given.quick else groups
        seeds = [0] if given.quick else list(range(given.seeds))
        setup = parts.Setup(processes, data, folder, seeds, groups, given.quick)
        sections, failed = [], False
        for name, (title, measure) in PARTS.items():
            if not given.only or name in given.only:
                processes.say(f"== {name}")
                try:
                    text = measure(setup).strip()
                except Exception:  # an hour's other parts are worth keeping
                    traceback.print_exc()
                    text, failed = "This part failed.", True
                sections.append(f"## {title}\n\n{text}\n")
        introduction = INTRODUCTION.format(data=given.data, quiet=processes.quiet)
        report = "\n".join([introduction, conditions(given, processes) + "\n", *sections])
        # Never half a report.
        with open(given.out + ".partial", "w", encoding="utf-8") as file:
            file.write(report)
        os.replace(given.out + ".partial", given.out)
        return 1 if failed else 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
