"""What a race is about: the time to a loss, or the loss at the end. It says which run is better."""

import math

from curves import crossing, median


class TimeTo:
    """Seconds to a mean train cross-entropy; a run need not go on from there."""

    # A short run of a search is one of fewer seconds.
    scales_run = False

    def __init__(self, target):
        self.target, self.name = target, f"seconds to {target:.2f}"

    def value(self, run):
        """
        >>> run = {"points": [{"seconds": 1, "loss": 0.5}, {"seconds": 3, "loss": 0.125}]}
        >>> TimeTo(0.25).value(run), TimeTo(0.1).value(run)
        (2.0, None)
        """
        return crossing(curve(run), self.target)

    def limits(self, share, seconds):
        return {"target": self.target, "seconds": seconds}


class AccuracyTo:
    """Seconds to a share of the validation samples that is right, which is evaluated at ends of epochs."""

    scales_run = False

    def __init__(self, target):
        self.target, self.name = target, f"seconds to {100 * target:g} % of validation"

    def value(self, run):
        """The logarithm of the error is linear in time in between.

        >>> points = [{"seconds": 1, "validation_accuracy": 0.5}, {"seconds": 3, "validation_accuracy": 0.875}]
        >>> AccuracyTo(0.75).value({"points": points}), AccuracyTo(0.9).value({"points": points})
        (2.0, None)
        """
        return crossing(errors(run), 1 - self.target, start=0.9)

    def limits(self, share, seconds):
        return {"seconds": seconds}


class LossAfter:
    """The mean train cross-entropy at the end of the race's epochs, or of so many seconds."""

    # A short run of a search is a whole one of fewer epochs or seconds: horizons shrink with it.
    scales_run = True

    def __init__(self, name, seconds=None):
        self.name, self.seconds = name, seconds

    def value(self, run):
        """
        >>> run = {"points": [{"seconds": 1, "loss": 0.5}, {"seconds": 3, "loss": 0.125}]}
        >>> LossAfter("").value(run), LossAfter("", seconds=2).value(run), LossAfter("", seconds=9).value(run)
        (0.125, 0.25, 0.125)
        """
        points = curve(run)
        if not finite(run):
            return None
        return points[-1][1] if self.seconds is None else loss_at(points, self.seconds)

    def limits(self, share, seconds):
        return {"share": share, "seconds": self.seconds and self.seconds * share}


def objectives(race):
    """
    >>> [o.name for o in objectives({"objective": {"time_to": [0.3, 0.27]}})]
    ['seconds to 0.30', 'seconds to 0.27']
    """
    (kind, value), = race["objective"].items()
    if kind == "time_to":
        return [TimeTo(target) for target in (value if isinstance(value, list) else [value])]
    if kind == "accuracy_to":
        return [AccuracyTo(target) for target in (value if isinstance(value, list) else [value])]
    if kind == "loss_after_seconds":
        return [LossAfter(f"train loss after {value:g} s", value)]
    return [LossAfter(f"train loss after {value:g} epochs")]


def errors(run):
    return [(p["seconds"], 1 - p["validation_accuracy"]) for p in run["points"] if p.get("validation_accuracy") is not None]


def curve(run):
    return [(p["seconds"], p["loss"]) for p in run["points"]]


def loss_at(points, seconds):
    """Between two points its logarithm is linear in time; behind the last it is the last, before the first None.

    >>> loss_at([(1, 0.5), (3, 0.125)], 0.5) is None
    True
    """
    for (t, loss), (later, next_loss) in zip(points, points[1:]):
        if t <= seconds < later and None not in (loss, next_loss):
            return loss * (next_loss / loss) ** ((seconds - t) / (later - t))
    return points[-1][1] if points and seconds >= points[-1][0] else None


def finite(run):
    return not run.get("error") and bool(run["points"]) and run["points"][-1]["loss"] is not None


def key(objective, runs, rung=0):
    """What sorts the runs of a setting, one for each seed: best first. Not finite is last.

    A time counts before any loss; of those without, one that came to a longer run counts before others.

    >>> run = {"points": [{"seconds": 1, "loss": 0.5}, {"seconds": 3, "loss": 0.125}]}
    >>> key(TimeTo(0.25), [run]) < key(TimeTo(0.1), [run], rung=1) < key(TimeTo(0.1), [run]) < key(TimeTo(0.1), [])
    True
    >>> key(LossAfter(""), [run], rung=1) < key(LossAfter(""), [run]) < (1,)
    True
    """
    if not runs or not all(finite(run) for run in runs):
        return (2,)
    values = median(objective.value(run) for run in runs)
    last = median(run["points"][-1]["loss"] for run in runs)
    if objective.scales_run:
        return (0, -rung, values if values is not None else math.inf, last)
    return (0, values) if values is not None else (1, -rung, last)
