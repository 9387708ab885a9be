"""Successive halving of settings: the same seconds of training for every contender.

A bracket begins with some settings, each on a short run, and gives the better third of them three times as much, until
one is left. Brackets follow on each other until the seconds of training are spent, or those of the clock, which hold
compilation, starting and evaluation too, or nothing new is left to try.
"""

import random
import time

import objective as objectives
from space import Settings

SHRINKS = 3


def rungs(settings):
    """How many settings each rung of a bracket has.

    >>> rungs(9), rungs(8), rungs(3), rungs(1)
    ([9, 3, 1], [8, 2], [3, 1], [1])
    """
    found = [settings]
    while found[-1] // SHRINKS:
        found.append(found[-1] // SHRINKS)
    return found


class Search:
    """
    >>> class Fake:
    ...     name, given = "fake", {"known": [{"rate": 3}], "space": {"rate": [1, 2, 4, 8]}}
    ...     def run(self, setting, seed, target, seconds, wall):
    ...         needed, bad = 1 / setting["rate"], setting["rate"] == 8
    ...         last = {"seconds": min(needed, seconds), "loss": None if bad else target if needed <= seconds else 1.0}
    ...         return {"points": [last], "seconds": last["seconds"]}
    >>> plan = {"seconds": 3, "wall": 9, "settings": 3, "brackets": 1, "seeds": [0], "finalists": 2, "draw": 1}
    >>> search = Search(Fake(), objectives.TimeTo(0.3), plan, clock=lambda: 0)
    >>> found = search.run()
    >>> search.finalists(), found["ended"], found["rungs"], len(found["trials"])
    ([{'rate': 4}, {'rate': 3}], 'all settings were tried', [3, 1], 5)
    >>> round(found["trained_seconds"], 3)  # (a rate of 1 has half a second, then as much as it needs)
    2.708
    >>> search = Search(Fake(), objectives.TimeTo(0.3), plan, clock=iter(range(0, 99, 10)).__next__)
    >>> search.run()["ended"]
    'stopped: 27 s by the clock were spent'
    """

    def __init__(self, contender, objective, plan, clock=time.monotonic):
        self.contender, self.objective, self.plan, self.clock = contender, objective, plan, clock
        generator = random.Random(f"{plan['draw']} {contender.name} {objective.name}")
        self.settings = Settings(contender.given["known"], contender.given["space"], generator)
        self.trials, self.trained, self.ended = [], 0.0, None
        self.budget, self.wall = plan["seconds"], plan["seconds"] * plan["wall"]

    def run(self):
        """The trials and what was spent, as what goes into the file of answers."""
        self.start = self.clock()
        sizes = rungs(self.plan["settings"])
        while not self.is_over():
            bracket = []
            while len(bracket) < sizes[0] and (setting := self.settings.next()) is not None:
                bracket.append({"setting": setting, "rung": -1, "runs": []})
            if not bracket:
                self.ended = "all settings were tried"
                break
            self.trials += bracket
            for rung, size in enumerate(sizes):
                bracket = sorted(bracket, key=self.key)[:size]
                for trial in bracket:
                    if not self.is_over():
                        self.try_out(trial, rung, sizes)
                bracket = [trial for trial in bracket if trial["rung"] == rung and self.key(trial) < (2,)]
        self.trials = [trial for trial in self.trials if trial["rung"] >= 0]
        return {"trials": self.trials, "trained_seconds": self.trained, "wall_seconds": self.clock() - self.start,
                "ended": self.ended, "rungs": sizes}

    def key(self, trial):
        return objectives.key(self.objective, trial["runs"], trial["rung"]) if trial["rung"] >= 0 else (0,)

    def is_over(self):
        if self.trained >= self.budget:
            self.ended = "the seconds of training were spent"
        elif self.clock() - self.start >= self.wall:
            self.ended = f"stopped: {self.wall:.0f} s by the clock were spent"
        return self.ended is not None

    def try_out(self, trial, rung, sizes):
        # What has come to the target would come to it again.
        if trial["runs"] and self.key(trial)[0] == 0 and not self.objective.scales_run:
            trial["rung"] = rung
            return
        seeds = self.plan["seeds"]
        share = SHRINKS ** (rung + 1 - len(sizes))
        seconds = self.budget / (self.plan["brackets"] * len(sizes) * sizes[rung] * len(seeds))
        runs = []
        for seed in seeds:
            left = self.wall - (self.clock() - self.start)
            run = self.contender.run(trial["setting"], seed, wall=left, **self.objective.limits(share, seconds))
            self.trained += run["seconds"]
            runs.append(run)
        trial |= {"rung": rung, "runs": runs}

    def finalists(self):
        """The best settings; those whose loss is not finite are left out. In an undecided search the first that was
        known to be good is one of them, whatever it came to in that time."""
        count, known = self.plan["finalists"], self.contender.given["known"][:1]
        found = best(self.objective, self.trials, count)
        if self.is_undecided():
            found = known + [setting for setting in found if setting not in known]
        return found[:count]

    def is_undecided(self):
        """Whether no trial came to the target: the budget was too short to tell."""
        return not self.objective.scales_run and not any(self.key(trial)[0] == 0 for trial in self.trials)


def best(objective, trials, count):
    """The settings of the best trials.

    >>> runs = [[{"points": [{"seconds": 1, "loss": loss}]}] for loss in (0.3, 0.2, None)]
    >>> trials = [{"setting": i, "rung": 0, "runs": r} for i, r in enumerate(runs)]
    >>> best(objectives.LossAfter(""), trials, 3)
    [1, 0]
    """
    keyed = [(objectives.key(objective, trial["runs"], trial["rung"]), trial["setting"]) for trial in trials]
    return [setting for key, setting in sorted(keyed, key=lambda pair: pair[0]) if key < (2,)][:count]
