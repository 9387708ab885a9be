"""RNGD against Muon on the same engine, over all races that have both, in one table."""

from curves import median
from finalists import milliseconds
from objective import TimeTo, objectives
from table import number, spread, table, times

NAMES = ("RNGD auto", "our Muon")


def page(sections):
    """The table, or nothing where no race has both."""
    rows = [row for found in sections.values() if "plan" in found
            for objective, heat in zip(objectives(found["plan"]), found["heats"])
            if (row := compared(found["plan"], objective, heat))]
    if not rows:
        return ""
    header = ["network", "", *NAMES, "Muon / RNGD", *(f"steps, {name}" for name in NAMES)]
    header += [f"ms a step, {name}" for name in NAMES]
    return "The best setting of each search, everything else alike; from the races above.\n\n" + table(header, rows)


def compared(plan, objective, heat):
    best = [pick(objective, heat, name) for name in NAMES]
    if None in best:
        return None
    network, is_time = "-".join(map(str, ["inputs", *plan["hidden"], 10])), isinstance(objective, TimeTo)
    values = [[objective.value(run) for run in finalist["runs"]] for finalist in best]
    middle, each = [median(of) for of in values], [milliseconds(finalist["runs"]) for finalist in best]
    steps = [number(1e3 * seconds / ms if is_time and seconds and ms else None, 0) for seconds, ms in zip(middle, each)]
    return ([network, objective.name, *(spread(of, 2 if is_time else 4) for of in values), times(middle[1], middle[0])]
            + steps + [number(ms, 3) for ms in each])


def pick(objective, heat, name):
    """The best finalist of a contender, or None."""
    def order(finalist):
        value = median(objective.value(run) for run in finalist["runs"])
        return (value is None, value or 0)

    return min((f for f in heat["finalists"] if f["contender"] == name), key=order, default=None)
