"""What the sections of the measurement are given."""

import copy
from dataclasses import dataclass

from processes import Processes

DEFAULTS = ("RNGD auto, batch 50", ["--metric", "auto", "--learning-rate", 0.01])


@dataclass
class Setup:
    processes: Processes
    # The folder of IDX files, its samples to train on, and their size.
    data: str
    count: int
    inputs: int
    # A folder for files that nobody keeps.
    folder: str
    seeds: list
    quick: bool
    # Evaluations in an epoch: 4 where `fisher train` can, otherwise 1, for all alike.
    evaluations: int = 1

    @property
    def has_peers(self):
        return self.processes.peer_python is not None

    def ours(self, named, seed, epochs):
        name, arguments = named
        epochs = 1 if self.quick else epochs
        return self.processes.fisher_once(name, arguments, data=self.data, seed=seed, epochs=epochs)

    def defaults(self, seed):
        return self.ours(DEFAULTS, seed, 5)

    def of_metric(self, metric, widths, activation, seed, *more):
        arguments = ["--metric", metric, "--activation", activation, "--shape", f"{self.inputs},{widths},10"]
        arguments += ["--learning-rate", 0.01, *more]
        return self.ours((f"{metric} {activation} {widths}", arguments), seed, 2)

    @staticmethod
    def quick_race(race):
        """A small share: one objective, the best known setting of each contender, one epoch.

        >>> race = {"objective": {"time_to": [0.3, 0.2]}, "epochs": 12, "search": {"seeds": [0, 1]},
        ...         "contenders": [{"known": [], "space": {"rate": [2, 1]}}]}
        >>> quick = Setup.quick_race(race)
        >>> quick["objective"], quick["epochs"], quick["contenders"], quick["search"]["settings"]
        ({'time_to': [0.3]}, 1, [{'known': [{'rate': 2}], 'space': {}}], 1)
        """
        race = copy.deepcopy(race)
        race["epochs"] = 1
        race["search"] |= {"seconds": 1, "wall": 60, "settings": 1, "brackets": 1, "seeds": [0], "finalists": 1}
        kind, value = next(iter(race["objective"].items()))
        if kind == "time_to" and isinstance(value, list):
            race["objective"] = {kind: value[:1]}
        elif kind == "loss_after_epochs":
            race["objective"] = {kind: race["epochs"]}
        for contender in race["contenders"]:
            if not contender["known"]:
                first = {k: v[0] if isinstance(v, list) else v["to"] for k, v in contender["space"].items()}
                contender["known"] = [first]
            contender["known"], contender["space"] = contender["known"][:1], {}
        return race
