"""The final of a race for time: who is ahead, and by how much."""

from curves import first_end, median
from finalists import failures, milliseconds, name
from objective import TimeTo, curve, errors, objectives
from table import number, spread, table, times, with_unit


def heat(data, found):
    """One target's statements and table."""
    goal = of(data, found)
    for finalist in found["finalists"]:
        finalist["seconds"] = [goal.value(run) for run in finalist["runs"]]
    finalists = sorted(found["finalists"], key=order)
    title = f"**{found['objective'].capitalize()}**"
    return "\n\n".join([title, statements(data, finalists), rows(finalists, goal)]) + failures(finalists)


def of(data, found):
    """The objective of a heat, by its name."""
    return next(goal for goal in objectives(data["plan"]) if goal.name == found["objective"])


def order(finalist):
    """Quickest first; then the lowest last loss."""
    seconds = median(finalist["seconds"])
    last = median(run["points"][-1]["loss"] if run["points"] else None for run in finalist["runs"])
    return (seconds is None, seconds or 0, last is None, last or 0)


def statements(data, finalists):
    peers = [f for f in finalists if not f["ours"]]
    kinds = {c["name"]: c.get("peer") for c in data["plan"]["contenders"]}
    shown, lines = set(), []
    for ours in (f for f in finalists if f["ours"]):
        if ours["contender"] in shown:
            continue
        shown.add(ours["contender"])
        seconds = median(ours["seconds"])
        line = f"- {name(ours)}: {with_unit(spread(ours['seconds'], 3), 's')}."
        if peers and seconds is not None:
            best = median(peers[0]["seconds"])
            line += (f" The best peer, {name(peers[0])}, takes {best:.3f} s, {times(best, seconds)} times as long."
                     if best is not None else " In the median no peer gets there.")
        lines.append(line)
    for kind in sorted({kinds[f["contender"]] for f in peers}):
        best = next(f for f in peers if kinds[f["contender"]] == kind)
        lines.append(f"- The best of {kind}: {name(best)}, {with_unit(spread(best['seconds'], 3), 's')}.")
    return "\n".join(lines or ["- Nobody came to the final."])


def rows(finalists, goal):
    is_loss = isinstance(goal, TimeTo)
    ours = next((f for f in finalists if f["ours"]), None)
    found = []
    for f in finalists:
        points = [(curve(run), goal.target) if is_loss else (errors(run), 1 - goal.target) for run in f["runs"]]
        ends = [first_end(*pair) for pair in points]
        compiled = median(run.get("compile_seconds") for run in f["runs"])
        found.append([name(f), spread(f["seconds"], 3), spread(ends, 3)]
                     + [times(median(f["seconds"]), ours and median(ours["seconds"]))]
                     + [number(milliseconds(f["runs"]), 3), "" if f["ours"] else number(compiled, 1)])
    header = ["", goal.name.replace("seconds", "s"), "s at the first point there", f"times {ours['contender'] if ours else 'ours'}"]
    return table(header + ["ms a step", "s of compilation and warming up"], found)
