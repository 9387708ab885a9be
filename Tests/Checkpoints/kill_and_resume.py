#!/usr/bin/env python3
"""Kills training runs with SIGKILL at random moments, resumes them, and compares what comes out with undisturbed runs.

Each setting is trained once without checkpoints. Then the same command with checkpoints every few steps is started, killed
after a random time, and resumed, again and again; a run that came to its end is compared and another one begun. Logs have to
be the same but for seconds and memory, models to the byte. Exit status 1 where anything differs or a run fails.
"""
import argparse
import collections
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

COSTS = '{"products": 5e10, "grams": 5e10, "factors": 1e10, "solves": 1e10, "bandwidth": 1e10, "call": 1e-6}'
# Small networks, so that much of the time goes into checkpoints; of more neurons than a part of a spread refresh has.
NETWORK = "--data synthetic --shape 64,40,20,10 --epochs 2 --batch 100 --quiet"
SETTINGS = [
    "--optimizer sgd",
    "--optimizer momentum --batch-norm",
    "--optimizer adam",
    "--metric auto --cost-model COSTS --refresh 20",
    "--metric exact --refresh 15",
    "--metric projected --rank 16 --refresh 12 --spread-refresh",
    "--metric projected --rank 0.8 --refresh 20",
    "--metric kernel --window-samples 40 --refresh 25",
    "--metric iterative --window-samples 200 --refresh 30",
    "--metric diagonal --refresh 20 --drift 0.1",
    "--metric shared --refresh 20 --no-early-refreshes",
    "--metric average --refresh 15",
    "--metric paper --refresh 20",
    "--metric exact --refresh 25 --spread-refresh --damping-rule adaptive-norm",
    "--metric exact --pair 1 --shape 64,12,10 --refresh 20",
    "--metric exact --refresh 20 --batch-norm --batch-norm-blocks",
    "--metric exact --refresh 15 --model cnn",
    "--metric kronecker --refresh 20",
]


class Failure(Exception):
    pass


def log_lines(path):
    """Without what no two runs share, and without the command, which is that of the first start."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        for name in ("seconds", "peak_memory_bytes", "command"):
            line.pop(name, None)
    return lines


class Setting:
    def __init__(self, fisher, flags, folder, draw):
        self.flags, self.folder, self.draw = flags, folder, draw
        folder.mkdir()
        (folder / "costs.json").write_text(COSTS)
        flags = flags.replace("COSTS", str(folder / "costs.json"))
        # (of a flag that is given twice the last one counts)
        self.command = [fisher, "train", *NETWORK.split(), *flags.split()]
        start = time.monotonic()
        self.reference = self.outputs("whole")
        self.finish(subprocess.Popen(self.command + self.reference[0], stderr=subprocess.PIPE, text=True))
        self.seconds = time.monotonic() - start
        self.counts = collections.Counter()

    def outputs(self, name):
        log, model = self.folder / f"{name}.jsonl", self.folder / f"{name}.safetensors"
        return ["--log", str(log), "--save", str(model)], log, model

    def finish(self, process):
        errors = process.communicate()[1]
        if process.returncode != 0:
            raise Failure(f"{self.flags}: status {process.returncode}: {errors.strip()}")

    def start(self):
        checkpoints = ["--checkpoint", str(self.folder / "run"), "--checkpoint-every", "3", "--resume"]
        return subprocess.Popen(
            self.command + checkpoints + self.outputs("again")[0], stderr=subprocess.PIPE, text=True)

    def compare(self):
        _, log, model = self.outputs("again")
        if model.read_bytes() != self.reference[2].read_bytes():
            raise Failure(f"{self.flags}: expected the weights of the undisturbed run, found others")
        if log_lines(log) != log_lines(self.reference[1]):
            raise Failure(f"{self.flags}: expected the log of the undisturbed run, found another")
        shutil.rmtree(self.folder / "run")
        log.unlink()
        model.unlink()
        self.counts["runs compared"] += 1

    def kill(self):
        """Starts or resumes; kills, or compares where it was done before."""
        run = self.folder / "run"
        before = self.newest(run)
        process = self.start()
        try:
            process.wait(timeout=self.draw.uniform(0, 1.2 * self.seconds))
        except subprocess.TimeoutExpired:
            pass
        if process.poll() is None:
            process.kill()
            process.communicate()
            self.counts["kills"] += 1
            self.counts["kills of a resumed run"] += before is not None
            self.counts["kills after a new checkpoint"] += self.newest(run) != before
            self.counts["kills in the midst of writing one"] += any(run.glob("*.partial-*"))
            return
        self.finish(process)
        self.compare()

    @staticmethod
    def newest(run):
        return max((path.name for path in run.glob("step-*.checkpoint")), default=None)

    def end(self):
        self.finish(self.start())
        self.compare()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("fisher")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    start, counts = time.monotonic(), collections.Counter()
    chosen = SETTINGS if arguments.kills >= len(SETTINGS) else draw.sample(SETTINGS, max(1, arguments.kills // 2))
    with tempfile.TemporaryDirectory() as folder:
        for index, flags in enumerate(chosen):
            wanted = (arguments.kills * (index + 1)) // len(chosen) - (arguments.kills * index) // len(chosen)
            try:
                setting = Setting(arguments.fisher, flags, pathlib.Path(folder) / str(index), draw)
                while setting.counts["kills"] < wanted:
                    setting.kill()
                setting.end()
            except Failure as failure:
                print(f"kill-and-resume: {failure}", file=sys.stderr)
                return 1
            print(f"{flags}: {wanted} kills, {setting.counts['runs compared']} runs the same", flush=True)
            counts += setting.counts
    print(f"{len(chosen)} settings, seed {arguments.seed}, {time.monotonic() - start:.0f} s:")
    for name, count in counts.items():
        print(f"  {count} {name}")
    print("all logs and weights are those of the undisturbed runs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
