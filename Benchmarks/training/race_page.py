"""A race as a section of the report."""

import endings
import standings
from table import number, table


# How a search ended that did not get anywhere near.
UNDECIDED = "; no trial came to the loss: the first known setting is in the final"


def page(data):
    plan = data["plan"]
    parts = ["\n".join(["- " + line for line in plan.get("about", [])]), rules(data)]
    write = standings.heat if is_for_time(plan) else endings.heat
    parts += [write(data, heat) for heat in data["heats"]]
    parts += ["The searches:\n\n" + searches(data["heats"])]
    return "\n\n".join(part for part in parts if part)


def is_for_time(plan):
    return any(kind in plan["objective"] for kind in ("time_to", "accuracy_to"))


def rules(data):
    plan, search = data["plan"], data["plan"]["search"]
    network = plan.get("model") or "-".join(map(str, ["inputs", *plan["hidden"], 10]))
    rule = "four times an epoch"
    if data["evaluations"] == 1:
        rule = "at ends of epochs (this build of the tool has no others)"
    return (
        f"{network}, at most {plan['epochs']} epochs"
        + (f" and {plan['seconds']:g} s" if "seconds" in plan and is_for_time(plan) else "")
        + f" a run. Each contender has {search['seconds']:g} s of training to search its settings in, on seed "
        f"{', '.join(map(str, search['seeds']))}: successive halving of {search['settings']} settings at a time, those "
        f"known to be good first, then random ones of its space; compilation, starting and evaluation are not counted, "
        f"but {search['seconds'] * search['wall']:.0f} s by the clock end a search. The {search['finalists']} best "
        f"settings of each run with {len(data['seeds'])} seeds, by turns. All curves are read by one rule: the mean "
        f"cross-entropy over all training samples {rule}, and where a run ends, with its logarithm linear in time in "
        f"between; before the first point it starts at ln 10. Every setting that was tried, and what came of it, is in "
        f"the file of answers.")


def searches(heats):
    rows = []
    for heat in heats:
        for found in heat["searches"]:
            trials = found["trials"]
            out = sum(any(run.get("error") or run["points"][-1]["loss"] is None for run in t["runs"]) for t in trials)
            full = sum(trial["rung"] == len(found["rungs"]) - 1 for trial in trials)
            rows.append([f"{heat['objective']}: {found['contender']}", len(trials), full, out]
                        + [number(found["trained_seconds"], 1), number(found["wall_seconds"], 0)]
                        + [found["ended"] + UNDECIDED * bool(found.get("undecided"))])
    header = ["", "settings", "on the last rung", "failed or not finite", "s of training", "s by the clock", "ended as"]
    return table(header, rows)
