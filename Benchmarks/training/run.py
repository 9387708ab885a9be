#!/usr/bin/env python3
"""Measures FisherKit's training against its peers, and writes the report.

usage: run.py --fisher PATH [--peer-python PYTHON] [--plan FILE]... [--sections NAME,…] --out RESULTS.md
       run.py --from RESULTS.json --out RESULTS.md

Runs `fisher train` (a release build) and, with a Python that has them, the peers that the plans name (peers.py), one
process at a time and by turns. The plans say what is raced, and for how long settings are searched: all of it takes some
hours on two cores, which should have nothing else to do. Every answer is kept in RESULTS.json, beside the page, of which
--from makes the page again; sections that --sections leaves out stay as they were there. Needs nothing but Python's
standard library itself.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

# The sources stay as they are.
sys.dont_write_bytecode = True

import exact
import growth
import images
import memory
import model_steps
import plan
import quality
import race
import registry
import report
import steps
from conditions import BAD_DATA, FASHION, arguments, conditions, fail, plan_paths, refuse
from processes import Processes
from setup import Setup

MEASURED = {"quality": quality, "steps": steps, "exact": exact, "memory": memory, "growth": growth, "model-steps": model_steps}


def wanted(given, races):
    """Names of sections, in the page's order: quality, the races, and the rest."""
    names = ["quality", *(found["race"] for found in races), "steps", "exact", "memory", "growth"]
    if given.sections is not None:
        names.append("model-steps")
    if given.sections is None:
        return names
    chosen = given.sections.split(",")
    for name in chosen:
        if name not in names:
            refuse("--sections", f"names among {', '.join(names)}", name)
    return [name for name in names if name in chosen]


def read_races(given):
    try:
        races = plan.read(plan_paths(given))
    except plan.PlanError as error:
        fail(error, BAD_DATA)
    for found in races:
        if found["race"] in MEASURED:
            fail(f"{found['race']}: expected the name of a race, found that of a section", BAD_DATA)
        if given.search_seconds is not None:
            found["search"]["seconds"] = given.search_seconds
    return races


def check_packages(given, races):
    """Before an hour is spent: what the peers of these races import."""
    needed = {package for found in races for c in found["contenders"] if "peer" in c
              for package in registry.packages(c["peer"], c["optimizer"])} | {"numpy"}
    code = "import importlib.util as i, sys; print('missing', *(n for n in sys.argv[1:] if i.find_spec(n) is None))"
    asked = subprocess.run(
        [given.peer_python, "-c", code, *sorted(needed)], stdin=subprocess.DEVNULL, capture_output=True)
    word, *missing = asked.stdout.decode(errors="replace").split() or [""]
    if asked.returncode != 0 or word != "missing":
        refuse("--peer-python", "a Python", given.peer_python)
    if missing:
        refuse("--peer-python", f"a Python with {', '.join(sorted(needed))}", f"one without {', '.join(missing)}")


def measure(given, races, names, folder):
    """Section by section; the page and the answers are written after each."""
    logs = given.logs or os.path.join(folder, "logs")
    os.makedirs(logs, exist_ok=True)
    processes = Processes(given.fisher, given.peer_python, given.threads, 0 if given.quick else 1, logs)
    if not processes.versions["fisher"] or not processes.flags:
        refuse("--fisher", "the tool `fisher`, which has a --version", given.fisher)
    try:
        for found in races:
            plan.check_flags(found, processes.flags)
    except plan.PlanError as error:
        fail(error, BAD_DATA)
    if processes.load > report.HIGH_LOAD:
        processes.say(f"training: warning: the load is {processes.load:.2f}: wait for a quiet machine")
    data = {"fashion-mnist": FASHION}.get(given.data, given.data)
    if given.data == "synthetic":
        data = images.write(os.path.join(folder, "data"), 784, 2_400 if given.quick else 24_000)
    count, inputs = images.training_samples(data)
    evaluations = 4 if "--evaluate-every" in processes.flags else 1
    seeds = [0] if given.quick else list(range(given.seeds))
    setup = Setup(processes, data, count, inputs, folder, seeds, given.quick, evaluations)
    by_name, sections, failed = {found["race"]: found for found in races}, {}, False
    # Sections that are not measured stay as they were.
    earlier = kept_sections(given, names) if given.sections is not None else []
    try:
        for name in names:
            processes.say(f"== {name}")
            try:
                measured = (lambda s: race.measure(s, by_name[name])) if name in by_name else MEASURED[name].measure
                sections[name] = measured(setup)
            except Exception as error:  # the other hours are worth keeping
                traceback.print_exc()
                title = by_name[name]["title"] if name in by_name else report.PAGES[name][0]
                sections[name], failed = {"title": title, "failed": f"{type(error).__name__}: {error}"}, True
            run = {"conditions": conditions(given, processes), "sections": sections}
            report.write(given.out, report.rounded({"runs": [*earlier, run]}))
    finally:
        processes.close()
    return 70 if failed else 0


def kept_sections(given, names):
    try:
        return report.kept(report.read(given.out), names)
    except OSError as error:
        refuse("--out", "a page with its answers or none", f"{report.answers_path(given.out)}: {error.strerror}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        found = f"{report.answers_path(given.out)}: {type(error).__name__}: {error}"
        refuse("--out", "a page with its answers or none", found, BAD_DATA)


def again(given):
    """The page of a file of answers."""
    try:
        with open(given.answers, encoding="utf-8") as file:
            text = report.page(json.load(file))
    except OSError as error:
        refuse("--from", "a file of answers", f"{given.answers}: {error.strerror}")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        refuse("--from", "a file of answers", f"{given.answers}: {type(error).__name__}: {error}", BAD_DATA)
    report.write_whole(given.out, text)
    return 0


def main():
    given = arguments(__doc__)
    if given.answers is not None:
        return again(given)
    races = read_races(given)
    names = wanted(given, races)
    races = [found for found in races if found["race"] in names]
    if given.peer_python is not None:
        check_packages(given, races)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = tempfile.mkdtemp(prefix="fisher-training-")
    try:
        return measure(given, races, names, folder)
    except KeyboardInterrupt:
        print("training: interrupted; what was done until then is in the file of answers", file=sys.stderr)
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
