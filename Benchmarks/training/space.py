"""Settings to try: those known to be good, then random ones of a space.

A space has for each setting a list, or a range {"from": a, "to": b} that is drawn from log-uniformly and rounded to
three digits, or with "whole": true to whole numbers.
"""

import json
import math


def draw(space, generator):
    """
    >>> import random
    >>> found = draw({"batch": [200], "rate": {"from": 0.01, "to": 0.1}}, random.Random(0))
    >>> found["batch"], 0.01 <= found["rate"] <= 0.1
    (200, True)
    """
    return {name: drawn(values, generator) for name, values in space.items()}


def drawn(values, generator):
    if isinstance(values, list):
        return generator.choice(values)
    value = math.exp(generator.uniform(math.log(values["from"]), math.log(values["to"])))
    return round(value) if values.get("whole") else float(f"{value:.3g}")


class Settings:
    """The known ones, then random ones; none twice.

    >>> import random
    >>> settings = Settings([{"a": 2}], {"a": [1, 2]}, random.Random(0))
    >>> settings.next(), settings.next(), settings.next()
    ({'a': 2}, {'a': 1}, None)
    """

    TRIES = 200

    def __init__(self, known, space, generator):
        self.known, self.space, self.generator, self.given = list(known), space, generator, set()

    def next(self):
        """None where nothing new comes."""
        for _ in range(self.TRIES):
            if self.known:
                setting = self.known.pop(0)
            elif self.space:
                setting = draw(self.space, self.generator)
            else:
                return None
            key = json.dumps(setting, sort_keys=True)
            if key not in self.given:
                self.given.add(key)
                return setting
        return None


def label(setting):
    """
    >>> label({"--learning-rate": 0.08, "--batch": 1000, "schedule": "constant", "decay": None, "--nu": True})
    'learning-rate 0.08, batch 1000, schedule constant, nu'
    """
    shown = {name.removeprefix("--").replace("_", " "): value for name, value in setting.items()}
    parts = []
    for name, value in shown.items():
        if value is not None and value is not False:
            shown_value = f"{value:g}" if isinstance(value, float) else str(value)
            parts.append(name if value is True else f"{name} {shown_value}")
    return ", ".join(parts) or "defaults"
