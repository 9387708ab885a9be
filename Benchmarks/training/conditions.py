"""The command line, and where and with what a measurement was made."""

import argparse
import glob
import os
import platform
import sys

FASHION = "/usr/share/datasets/fashion-mnist"
HERE = os.path.dirname(os.path.abspath(__file__))
PLANS = [os.path.join(HERE, "plans", f"{name}.json") for name in ("short", "long", "wide", "deep", "broad")]
BAD_COMMAND, BAD_DATA = 64, 65


def refuse(where, expected, found, status=BAD_COMMAND):
    fail(f"{where}: expected {expected}, found {found}", status)


def fail(line, status):
    print(f"training: {line}", file=sys.stderr)
    sys.exit(status)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        fail(f"{message} (see --help)", BAD_COMMAND)


def arguments(description):
    parser = Parser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("--fisher", metavar="PATH", help="the built tool")
    parser.add_argument("--peer-python", metavar="PYTHON", help="a Python with the peers' packages")
    parser.add_argument("--data", default="fashion-mnist", help="fashion-mnist (default), synthetic, or a folder")
    parser.add_argument("--plan", action="append", metavar="FILE", help="a race, or contenders for one; may be repeated "
                        "(default: all of plans/); those of plans/ may be said by name")
    parser.add_argument("--sections", metavar="NAME,…", help="quality, steps, exact, memory, growth, model-steps, and names of races "
                        "(default: all but model-steps)")
    parser.add_argument("--search-seconds", type=float, metavar="S", help="of training for each search, for the plans' own")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="seeds 0 to N − 1 (default: 5)")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1), help="(default: 2)")
    parser.add_argument("--quick", action="store_true", help="one seed, no search, few steps: to see that it works")
    parser.add_argument("--logs", metavar="FOLDER", help="keeps the logs of all runs there")
    parser.add_argument("--from", dest="answers", metavar="FILE", help="writes the page of this file of answers, no run")
    parser.add_argument("--out", required=True, metavar="RESULTS.md", help="the page; its answers go to RESULTS.json")
    given = parser.parse_args()
    check(given)
    return given


def check(given):
    for flag, path in (("--fisher", given.fisher), ("--peer-python", given.peer_python)):
        if path is not None and not (os.path.isfile(path) and os.access(path, os.X_OK)):
            refuse(flag, "a program", path)
    if not os.path.isdir(os.path.dirname(os.path.abspath(given.out))) or os.path.isdir(given.out):
        refuse("--out", "a file in a folder that exists", given.out)
    if given.answers is not None:
        return
    if given.fisher is None:
        refuse("--fisher", "the built tool, or --from FILE", "none")
    if given.data not in ("fashion-mnist", "synthetic"):
        images = os.path.join(given.data, "train-images-idx3-ubyte")
        if not os.path.isdir(given.data) or not any(map(os.path.exists, (images, images + ".gz"))):
            refuse("--data", "fashion-mnist, synthetic or a folder of IDX files", given.data)
    if given.data == "fashion-mnist" and not glob.glob(os.path.join(FASHION, "train-images-idx3-ubyte*")):
        refuse("--data", f"the package dataset-fashion-mnist in {FASHION}", "none")
    for flag, value in (("--seeds", given.seeds), ("--threads", given.threads)):
        if value < 1:
            refuse(flag, "1 or more", value)
    if given.search_seconds is not None and not given.search_seconds > 0:
        refuse("--search-seconds", "a number above 0", given.search_seconds)


def plan_paths(given):
    """Of each --plan: a file, or one of plans/ by its name."""
    return [path if os.path.exists(path) or "/" in path or path.endswith(".json")
            else os.path.join(HERE, "plans", path + ".json") for path in given.plan or PLANS]


def machine():
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
    """The machine, versions, the command, and whether others were computing, for the file of answers."""
    command = ["Benchmarks/training/run.py --fisher FISHER"] + ["--peer-python PYTHON"] * bool(given.peer_python)
    command += ["--data " + (given.data if given.data in ("fashion-mnist", "synthetic") else "FOLDER")]
    command += [f"--plan {os.path.basename(path).removesuffix('.json')}" for path in given.plan or ()]
    command += [f"--sections {given.sections}"] * (given.sections is not None)
    command += [f"--search-seconds {given.search_seconds}"] * (given.search_seconds is not None)
    command += [f"--seeds {given.seeds}"] * (not given.quick) + [f"--threads {given.threads}"]
    command += ["--quick"] * given.quick
    return {"machine": machine(), "threads": given.threads, "versions": processes.versions, "data": given.data,
            "command": " ".join(command), "load": processes.load, "others": processes.others.found,
            "quiet": processes.quiet}
