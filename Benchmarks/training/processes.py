"""Runs one process at a time, with a pause before each, and reads what it reports.

A run, ours or a peer's, is a dictionary with "points" (epoch, step, seconds, loss, and at ends of epochs
validation_loss and validation_accuracy), seconds, seconds_per_step, peak_memory_bytes, and "error", None where it went
well. What a run came to is None in a point where it is not a number.
"""

import json
import math
import os
import re
import signal
import subprocess
import sys
import time

import flags
import spawn
from server import Server

FAILED = {"points": [], "seconds": 0.0, "seconds_per_step": None, "peak_memory_bytes": None, "planned_bytes": None}


def planned_bytes(output):
    """What `fisher train` says that it is going to take, where it does.

    >>> planned_bytes("memory     model 7.1 MB"), planned_bytes("samples 1\\nplanned    97.5 MB in all")
    (None, 97500000.0)
    """
    planned = re.search(r"^planned\s+([\d.]+) MB in all", output, re.MULTILINE)
    return float(planned[1]) * 1e6 if planned else None


def point(line, per_epoch):
    """A line of the log of `fisher train` as a point, or None; `per_epoch` is the steps of an epoch, if known.

    >>> point({"step": 5, "seconds": 1, "train_loss": 0.5}, 10)
    {'epoch': 0.5, 'step': 5, 'seconds': 1, 'loss': 0.5}
    >>> point({"epoch": 1, "step": 9, "seconds": 2, "train_loss": None, "validation_loss": 0.6}, None)
    {'epoch': 1, 'step': 9, 'seconds': 2, 'loss': None, 'validation_loss': 0.6}
    >>> point({"event": "raised damping", "step": 5}, 10)
    """
    if not {"step", "seconds", "train_loss"} <= line.keys() or not ("epoch" in line or per_epoch):
        return None
    loss = line["train_loss"]
    found = {"epoch": line.get("epoch", line["step"] / (per_epoch or 1)), "step": line["step"]}
    found |= {"seconds": line["seconds"], "loss": loss if loss is not None and math.isfinite(loss) else None}
    return found | {k: line[k] for k in ("validation_loss", "validation_accuracy") if k in line}


def at_end(found, seconds, target):
    """Whether a run that is to come to a target, or to take so many seconds, has.

    >>> at_end({"loss": 0.3, "seconds": 2}, None, 0.3), at_end({"loss": None, "seconds": 2}, 3, 0.3)
    (True, False)
    """
    at_target = found["loss"] is not None and found["loss"] <= (target or 0)
    return at_target or found["seconds"] >= (seconds or math.inf)


class Processes:
    """Our runs and the peers'."""

    def __init__(self, fisher, peer_python, threads, quiet, folder):
        self.fisher_path, self.peer_python = fisher, peer_python
        self.threads, self.quiet, self.folder = threads, quiet, folder
        self.made, self.count, self.servers, self.others = {}, 0, {}, spawn.Others()
        self.load = os.getloadavg()[0]
        version = self.output([fisher, "--version"])
        self.versions = {"fisher": version.strip()}
        self.flags = flags.parse(self.output([fisher, "train", "--help"]))

    def output(self, command):
        """Standard output, nothing where it failed."""
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True)
        except (OSError, subprocess.SubprocessError):
            return ""
        return done.stdout.decode(errors="replace")

    def fisher_once(self, name, arguments, data, seed, epochs):
        """A run of `fisher train`, or what it came to where it was made before."""
        key = (*map(str, arguments), data, seed, epochs)
        if key not in self.made:
            self.made[key] = self.fisher(name, arguments, data, seed, epochs)
        return self.made[key]

    def fisher(self, name, arguments, data, seed, epochs, per_epoch=None, seconds=None, target=None, wall=None):
        """A run of `fisher train`, ended by SIGINT at the first point that is at the target, or after the seconds."""
        arguments = [*map(str, arguments), "--data", data, "--seed", str(seed), "--epochs", str(epochs)]
        if "--l2" not in arguments:
            arguments += ["--l2", "0.001"]
        time.sleep(self.quiet)
        run = self.others.around(0, lambda: self.read(name, arguments, per_epoch, seconds, target, wall))
        self.say(f"{name}, seed {seed}: {run['error'] or summary(run)}")
        return run | {"seed": seed}

    def read(self, name, arguments, per_epoch, seconds, target, wall):
        deadline = time.monotonic() + (wall or math.inf)
        out, err = (os.path.join(self.folder, text) for text in ("stdout", "stderr"))
        log = os.path.join(self.folder, f"{self.count:04}-{name.replace('/', ' ')}.jsonl")
        self.count += 1
        receive, send = os.pipe()
        command = [self.fisher_path, "train", "--threads", str(self.threads), "--log", f"/dev/fd/{send}", *arguments]
        with open(out, "wb") as stdout, open(err, "wb") as stderr, open(log, "w", encoding="utf-8") as kept:
            process = spawn.start(
                command, self.threads, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, pass_fds=[send])
            os.close(send)
            points, last, stopped = [], {}, False
            try:
                with open(receive, encoding="utf-8") as lines:
                    for line in lines:
                        kept.write(line)
                        last = json.loads(line)
                        found = None if stopped else point(last, per_epoch)
                        if not found:
                            continue
                        points = [p for p in points if p["step"] != found["step"]] + [found]
                        if at_end(found, seconds, target) or time.monotonic() > deadline:
                            process.send_signal(signal.SIGINT)
                            stopped = True
                status = process.wait()
            except BaseException:  # interrupted: nothing is left running
                process.kill()
                process.wait()
                raise
        if status not in ((0, 130) if stopped else (0,)):
            return FAILED | {"error": spawn.last_line(err, f"status {status}")}
        if wall and time.monotonic() > deadline and stopped and not at_end(points[-1], seconds, target):
            return FAILED | {"seconds": points[-1]["seconds"], "error": f"no end in {wall:.0f} s"}
        if not points:
            return FAILED | {"error": "a run without a loss in its log"}
        with open(err, encoding="utf-8", errors="replace") as file:
            survived = file.read().count("warning: step")
        with open(out, encoding="utf-8", errors="replace") as file:
            planned = planned_bytes(file.read())
        taken, steps = points[-1]["seconds"], points[-1]["step"]
        return {"points": points, "seconds": taken, "seconds_per_step": taken / steps, "compile_seconds": 0.0,
                "peak_memory_bytes": last.get("peak_memory_bytes"), "planned_bytes": planned, "survived": survived,
                "error": None}

    def peer(self, wall=600, **request):
        """What peers.py answers. Each kind of peer has one process, which others wait for."""
        request |= {"threads": self.threads}
        name = request["peer"]
        time.sleep(self.quiet)
        try:
            if name not in self.servers or not self.servers[name].is_open:
                errors = os.path.join(self.folder, f"stderr-{name}")
                self.servers[name] = Server(self.peer_python, self.threads, errors, self.others)
            answer = self.servers[name].ask(request, wall)
        except OSError as error:
            answer = {"error": f"{self.peer_python}: {error.strerror}"}
        answer = (FAILED if answer["error"] else {}) | answer
        self.versions |= answer.pop("versions", {})
        with open(os.path.join(self.folder, "peers.jsonl"), "a", encoding="utf-8") as file:
            file.write(json.dumps({"request": request} | answer) + "\n")
        shown = " ".join(str(request[k]) for k in ("peer", "optimizer", "setting", "seed") if k in request)
        self.say(f"{shown}: {answer['error'] or summary(answer)}")
        return answer

    def close(self):
        """Ends the peers' processes."""
        for server in self.servers.values():
            server.close()
        self.servers = {}

    @staticmethod
    def say(line):
        print(line, file=sys.stderr, flush=True)


def summary(run):
    last = (run.get("points") or [None])[-1]
    return f"loss {last['loss']}, epoch {last['epoch']:g}, {last['seconds']:.3f} s" if last else "done"
