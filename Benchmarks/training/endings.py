"""The final of a long race: losses at the end, at the best peer's seconds, and on the validation samples."""

from curves import crossing, median
from finalists import failures, milliseconds, name
from objective import LossAfter, curve, finite, key, loss_at
from table import number, spread, table, times

DEFAULT_L2 = 1e-3


def heat(data, found):
    seconds = data["plan"]["objective"].get("loss_after_seconds")
    objective = LossAfter(found["objective"], seconds)
    for finalist in found["finalists"]:
        finalist["losses"] = [objective.value(run) for run in finalist["runs"]]
    finalists = sorted(found["finalists"], key=order)
    peer = next((f for f in finalists if not f["ours"]), None)
    parts = [f"**{found['objective'].capitalize()}**", statements(finalists, peer), rows(finalists, peer)]
    parts.append("What L2 and decay do: of each, the best setting of the searches' last rungs.\n\n"
                 + decays(found["searches"], objective))
    return "\n\n".join(parts) + failures(finalists)


def order(finalist):
    loss = median(finalist["losses"])
    return (loss is None, loss or 0)


def taken(finalist):
    return median(run["seconds"] if finite(run) else None for run in finalist["runs"])


def at_seconds(finalist, seconds):
    return [seconds and loss_at(curve(run), seconds) for run in finalist["runs"]]


def statements(finalists, peer):
    if not peer or taken(peer) is None or median(peer["losses"]) is None:
        return "- There is no peer with a loss at the end in this run."
    seconds, loss = taken(peer), median(peer["losses"])
    lines = [f"- The best peer: {name(peer)}, a train loss of {loss:.4f} in {seconds:.2f} s."]
    shown = set()
    for ours in (f for f in finalists if f["ours"] and f["contender"] not in shown):
        shown.add(ours["contender"])
        there = median(crossing(curve(run), loss) for run in ours["runs"])
        line = f"- {name(ours)}: {number(median(ours['losses']), 4)} at the end"
        then = median(at_seconds(ours, seconds))
        line += f", {then:.4f} in those {seconds:.2f} s. " if then else f"; {seconds:.2f} s are before its first point. "
        line += (f"It is at the loss of {peer['contender']} after {there:.2f} s, for which that takes "
                 f"{times(seconds, there)} times as long." if there else f"It never is at the loss of {peer['contender']}.")
        lines.append(line)
    return "\n".join(lines)


def last(runs, member, pick=lambda values: values[-1]):
    """Of each run, one of its values on the validation samples, None where it has none."""
    found = [[p[member] for p in run["points"] if p.get(member) is not None] for run in runs]
    return [pick(values) if values else None for values in found]


def percent(values):
    return [value and 100 * value for value in values]


def rows(finalists, peer):
    seconds, found = peer and taken(peer), []
    for f in finalists:
        found.append([name(f), spread(f["losses"], 4), number(taken(f)), number(median(at_seconds(f, seconds)), 4)]
                     + [number(median(last(f["runs"], "validation_loss")), 4)]
                     + [number(median(percent(last(f["runs"], "validation_accuracy", pick))))
                        for pick in (lambda values: values[-1], max)]
                     + [number(milliseconds(f["runs"]), 3)])
    there = f"train loss in the {number(seconds)} s of {peer['contender']}" if peer else "train loss in a peer's seconds"
    header = ["", "train loss at the end", "s", there, "validation loss", "validation accuracy, %", "its best, %"]
    return table(header + ["ms a step"], found)


def decays(searches, objective):
    best = {}
    for search in searches:
        for trial in search["trials"]:
            setting, rung = trial["setting"], trial["rung"]
            l2 = setting.get("l2", setting.get("--l2", DEFAULT_L2 if search["ours"] else 0))
            decay = setting.get("decay", setting.get("--weight-decay", 0))
            found = key(objective, trial["runs"], rung)
            if rung == len(search["rungs"]) - 1 and found < (2,):
                place = (search["contender"], l2 or 0, decay or 0)
                if place not in best or found < best[place][0]:
                    best[place] = (found, trial["runs"])
    lines = [[contender, f"{l2:g}", f"{decay:g}", number(median(objective.value(run) for run in runs), 4)]
             + [number(median(last(runs, "validation_loss")), 4)]
             + [number(median(percent(last(runs, "validation_accuracy"))))]
             for (contender, l2, decay), (_, runs) in sorted(best.items())]
    header = ["", "L2", "decay", "train loss", "validation loss", "validation accuracy, %"]
    return table(header, lines)
