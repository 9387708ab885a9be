"""Starts processes on the processors they may have, and measures what others did meanwhile."""

import os
import signal
import subprocess
import time


def busy_seconds():
    """Seconds of processor time that the whole machine has spent, or None where that is not known."""
    try:
        with open("/proc/stat", encoding="ascii") as file:
            user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    except (OSError, ValueError):
        return None
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def own_seconds(pid):
    """Seconds of processor time of a process that still runs, or of this one's children that ended, 0 as pid."""
    if pid == 0:
        return sum(os.times()[2:4])
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return sum(map(int, file.read().rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None


class Others:
    """Processor cores that others kept busy, around a stretch of work of half a second or more."""

    def __init__(self):
        self.found = []

    def around(self, pid, work):
        before, own, start = busy_seconds(), own_seconds(pid), time.monotonic()
        try:
            return work()
        finally:
            wall, own_after = time.monotonic() - start, own_seconds(pid)
            if wall > 0.5 and None not in (before, own, own_after):
                self.found.append(max(0.0, (busy_seconds() - before - (own_after - own)) / wall))


def start(command, threads, **more):
    """A process of so many threads. It raises OSError where there is no such program."""
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "JAX_PLATFORMS": "cpu"}
    cores = sorted(os.sched_getaffinity(0))[:threads] if hasattr(os, "sched_getaffinity") else None

    def prepare():
        # An interrupt of the terminal is for the one who started us all, who ends what it started.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.setpgrp()
        if cores:
            os.sched_setaffinity(0, cores)

    return subprocess.Popen(command, env=environment, preexec_fn=prepare, **more)


def last_line(path, otherwise):
    with open(path, encoding="utf-8", errors="replace") as file:
        return (file.read().strip().splitlines() or [otherwise])[-1]
