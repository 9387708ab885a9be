"""A process of peers.py that answers requests one after the other."""

import json
import os
import select
import subprocess
import time

import spawn

PEERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers.py")


class Server:
    def __init__(self, python, threads, errors, others):
        self.errors, self.others = errors, others
        with open(errors, "wb") as stderr:
            self.process = spawn.start(
                [python, PEERS], threads, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr)

    def ask(self, request, wall):
        """The answer, with "error" None or what went wrong; a process that has no answer in `wall` seconds is ended."""
        def work():
            try:
                self.process.stdin.write(json.dumps(request).encode() + b"\n")
                self.process.stdin.flush()
                return self.line(time.monotonic() + wall)
            except OSError:
                return b""

        line = self.others.around(self.process.pid, work)
        if line is None:
            self.close()
            return {"error": f"no answer in {wall:.0f} s"}
        try:
            return {"error": None} | json.loads(line)
        except ValueError:
            self.close()
            return {"error": spawn.last_line(self.errors, f"ended with status {self.process.returncode}")}

    def line(self, deadline):
        """Up to a line's end, or what there is where the process ended, or None at the deadline."""
        found = b""
        while not found.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                return None
            part = os.read(self.process.stdout.fileno(), 1 << 20)
            if not part:
                break
            found += part
        return found

    def close(self):
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except OSError:
                pass

    @property
    def is_open(self):
        return self.process.poll() is None and not self.process.stdin.closed
