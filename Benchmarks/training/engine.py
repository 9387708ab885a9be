"""RNGD against Muon on the same engine, both with a schedule and schedule-free, over all races that have both, in one table."""

from curves import median
from finalists import milliseconds
from objective import AccuracyTo, TimeTo, objectives
from table import number, spread, table, times

PEER = "our Muon"
NAMES = ("RNGD auto", "RNGD auto, schedule-free", PEER, "our Muon, schedule-free")


def page(sections):
    """The table, or nothing where no race has both."""
    rows = [row for found in sections.values() if "plan" in found
            for objective, heat in zip(objectives(found["plan"]), found["heats"])
            for row in compared(found["plan"], objective, heat)]
    if not rows:
        return ""
    header = ["network", "", "optimizer", "reached", f"{PEER} / it", "steps", "ms a step"]
    return "The best setting of each search, everything else alike; from the races above.\n\n" + table(header, rows)


def compared(plan, objective, heat):
    best = {name: finalist for name in NAMES if (finalist := pick(objective, heat, name))}
    if PEER not in best or len(best) < 2:
        return []
    network = plan.get("model") or "-".join(map(str, ["inputs", *plan["hidden"], 10]))
    is_time = isinstance(objective, (TimeTo, AccuracyTo))
    values = {name: [objective.value(run) for run in finalist["runs"]] for name, finalist in best.items()}
    rows = []
    for name, finalist in best.items():
        middle, each = median(values[name]), milliseconds(finalist["runs"])
        steps = number(1e3 * middle / each if is_time and middle and each else None, 0)
        rows.append([network, objective.name, name, spread(values[name], 2 if is_time else 4),
                     times(median(values[PEER]), middle), steps, number(each, 3)])
    return rows


def pick(objective, heat, name):
    """The best finalist of a contender, or None."""
    def order(finalist):
        value = median(objective.value(run) for run in finalist["runs"])
        return (value is None, value or 0)

    return min((f for f in heat["finalists"] if f["contender"] == name), key=order, default=None)
