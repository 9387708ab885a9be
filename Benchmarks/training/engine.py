"""RNGD against Muon on the same engine, over all races that have both, in one table."""

import endings
import standings
from curves import crossing, median
from finalists import milliseconds
from objective import LossAfter, curve
from table import number, spread, table, times

NAMES = ("RNGD auto", "our Muon")


def page(sections):
    """The table, or nothing where no race has both."""
    rows = [row for found in sections.values() if "plan" in found for heat in found["heats"]
            if (row := compared(found["plan"], heat))]
    if not rows:
        return ""
    header = ["network", "", *NAMES, "Muon / RNGD", *(f"steps, {name}" for name in NAMES)]
    header += [f"ms a step, {name}" for name in NAMES]
    return ("The best setting of each search, everything else alike; from the races above and below.\n\n"
            + table(header, rows))


def compared(plan, heat):
    best = [pick(plan, heat, name) for name in NAMES]
    if None in best:
        return None
    network = "-".join(map(str, ["inputs", *plan["hidden"], 10]))
    if "time_to" not in plan["objective"]:
        values = [[LossAfter(heat["objective"], None).value(run) for run in f["runs"]] for f in best]
        cells, what = [spread(of, 4) for of in values], "loss after the run"
    else:
        target = float(heat["objective"].split()[-1])
        values = [[crossing(curve(run), target) for run in f["runs"]] for f in best]
        cells, what = [spread(of, 2) for of in values], f"s to {target:.2f}"
    each = [milliseconds(f["runs"]) for f in best]
    steps = ["–" if median(of) is None or not ms or "time_to" not in plan["objective"] else
             number(1e3 * median(of) / ms, 0) for of, ms in zip(values, each)]
    return [network, what, *cells, times(median(values[1]), median(values[0])), *steps, *(number(ms, 3) for ms in each)]


def pick(plan, heat, name):
    """The best finalist of a contender."""
    found = [f for f in heat["finalists"] if f["contender"] == name]
    if "time_to" in plan["objective"]:
        target = float(heat["objective"].split()[-1])
        for f in found:
            f["seconds"] = [crossing(curve(run), target) for run in f["runs"]]
        found.sort(key=standings.order)
    else:
        for f in found:
            f["losses"] = [LossAfter(heat["objective"], None).value(run) for run in f["runs"]]
        found.sort(key=endings.order)
    return found[0] if found else None
