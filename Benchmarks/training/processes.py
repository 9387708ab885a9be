"""Runs one process at a time, with a pause before each, and reads what it reports."""

import json
import os
import re
import subprocess
import sys
import time

PEERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers.py")


def busy_seconds():
    """Seconds of processor time that the whole machine has spent, or None where that is not known."""
    try:
        with open("/proc/stat", encoding="ascii") as file:
            user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    except (OSError, ValueError):
        return None
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def planned_bytes(output):
    """What `fisher train` says that it is going to take, where it does.

    >>> planned_bytes("memory     model 7.1 MB"), planned_bytes("samples 1\\nplanned    97.5 MB in all")
    (None, 97500000.0)
    """
    planned = re.search(r"^planned\s+([\d.]+) MB in all", output, re.MULTILINE)
    return float(planned[1]) * 1e6 if planned else None


class Processes:
    """Our runs and the peers'. A run that was made before is not made again."""

    def __init__(self, fisher, peer_python, threads, quiet, folder):
        self.fisher_path, self.peer_python = fisher, peer_python
        self.threads, self.quiet, self.folder = threads, quiet, folder
        self.made = {}
        # Processor cores that others kept busy during each run.
        self.others = []
        self.load = os.getloadavg()[0]
        status, output, _ = self.spawn([fisher, "--version"])
        self.versions = {"fisher": output.strip() if status == 0 else ""}

    def spawn(self, command):
        """Status, standard output and standard error."""
        time.sleep(self.quiet)
        out, err = (os.path.join(self.folder, name) for name in ("stdout", "stderr"))
        environment = os.environ | {"OMP_NUM_THREADS": str(self.threads), "JAX_PLATFORMS": "cpu"}
        cores = sorted(os.sched_getaffinity(0))[: self.threads] if hasattr(os, "sched_getaffinity") else None
        before, start = busy_seconds(), time.monotonic()
        with open(out, "wb") as stdout, open(err, "wb") as stderr:
            try:
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=environment,
                    preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None)
            except OSError as error:
                return 127, "", f"{command[0]}: {error}"
            try:
                _, status, usage = os.wait4(process.pid, 0)
            except BaseException:  # interrupted: nothing is left running
                process.kill()
                raise
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - start
        if before is not None and wall > 0.5:
            self.others.append(max(0.0, (busy_seconds() - before - usage.ru_utime - usage.ru_stime) / wall))
        with open(out, encoding="utf-8") as stdout, open(err, encoding="utf-8", errors="replace") as stderr:
            return process.returncode, stdout.read(), stderr.read()

    def fisher(self, name, *arguments, data, seed, epochs):
        """A run of `fisher train`: its epochs, loss (seconds and loss at their ends), memory, error if it failed."""
        arguments = [*map(str, arguments), "--data", data, "--seed", str(seed), "--epochs", str(epochs)]
        key = tuple(arguments)
        if key in self.made:
            return self.made[key]
        log = os.path.join(self.folder, f"{len(self.made):03}-{name}-{seed}.jsonl")
        command = [self.fisher_path, "train", "--threads", str(self.threads), "--l2", "0.001", "--log", log]
        status, output, errors = self.spawn(command + arguments)
        run = {"epochs": [], "seed": seed, "survived": errors.count("warning: step"), "error": None}
        if status == 0:
            with open(log, encoding="utf-8") as file:
                lines = [json.loads(line) for line in file]
            run["epochs"] = [line for line in lines if "epoch" in line]
            run["peak_memory_bytes"] = next(x["peak_memory_bytes"] for x in lines if "peak_memory_bytes" in x)
            run["planned_bytes"] = planned_bytes(output)
            run["loss"] = [(epoch["seconds"], epoch["train_loss"]) for epoch in run["epochs"]]
            run["seconds_per_step"] = run["epochs"][-1]["seconds"] / run["epochs"][-1]["step"]
            self.say(f"{name}, seed {seed}: {run['epochs'][-1]['train_loss']:.4f}, "
                     f"{run['epochs'][-1]['seconds']:.3f} s for {epochs} epochs")
        else:
            run |= {"loss": [], "seconds_per_step": None, "peak_memory_bytes": None, "planned_bytes": None}
            run["error"] = (errors.strip().splitlines() or [f"status {status}"])[-1]
            self.say(f"{name}, seed {seed}: {run['error']}")
        self.made[key] = run
        return run

    def peer(self, **request):
        """What peers.py answers; error where it failed."""
        request["threads"] = self.threads
        status, output, errors = self.spawn([self.peer_python, PEERS, json.dumps(request)])
        try:
            answer = json.loads(output.strip().splitlines()[-1])
            answer.setdefault("error", None)
        except (ValueError, IndexError):
            answer = {"error": (errors.strip().splitlines() or [f"status {status}"])[-1]}
        self.versions |= answer.get("versions", {})
        with open(os.path.join(self.folder, "peers.jsonl"), "a", encoding="utf-8") as file:
            file.write(json.dumps({"request": request} | answer) + "\n")
        seconds = answer.get("loss") and f"{answer['loss'][-1][1]}, {answer['loss'][-1][0]:.3f} s"
        self.say(f"{request.get('peer')} {request.get('setting', '')}: {answer['error'] or seconds or 'done'}")
        return answer

    @staticmethod
    def say(line):
        print(line, file=sys.stderr, flush=True)
