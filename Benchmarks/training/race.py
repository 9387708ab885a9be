"""The time to a mean train cross-entropy: our settings against the best of each group of peers."""

from itertools import chain, zip_longest

from curves import crossing, first_end, median
from settings import ADAM, DEFAULTS, OWN_CHOICE, SGD, label
from table import number, spread, table, times

TARGETS = (0.30, 0.27)
OURS = [(DEFAULTS, 5), (OWN_CHOICE, 5), (SGD, 12), (ADAM, 12)]
EPOCHS = 12


class Racer:
    """What is raced, with its runs, one for each seed."""

    def __init__(self, name, run, group=None):
        self.name, self.run, self.group, self.runs = name, run, group, []

    def seconds(self, target, measure=crossing, points="loss"):
        return [measure(run.get(points, []), target) for run in self.runs]

    def median(self, target, points="loss"):
        return median(self.seconds(target, points=points))


def race(setup):
    ours = [Racer(named[0], lambda seed, a=(named, epochs): setup.ours(a[0], seed, a[1])) for named, epochs in OURS]
    swept, finalists = sweep(setup) if setup.has_peers else ([], [])
    for seed in setup.seeds:
        # (ours and theirs by turns, so that no stretch of time favours a side)
        for racer in filter(None, chain(*zip_longest(ours, finalists))):
            racer.runs.append(racer.run(seed))
    parts = [INTRODUCTION.format(epochs=2 if setup.quick else EPOCHS)]
    parts += [statements(ours, finalists, target) + "\n\n" + standings(ours, finalists, target) for target in TARGETS]
    parts += [reliability(ours, finalists), interpolation(ours, finalists)]
    if swept:
        parts.append("The sweep, first seed (`–`: not reached):\n\n" + swept_table(swept))
    return "\n\n".join(parts)


INTRODUCTION = """Seconds of training until the mean cross-entropy over all training samples is at the target: median \
over the seeds (least–most). All are read by one rule, from the ends of epochs, with the logarithm of the loss linear \
in between; before the first it starts at ln 10. Ours run with one setting for every seed; of each group of peers the \
two settings that are quickest with the first seed run with all. A peer has {epochs} epochs, and its compilation, \
import and evaluation are not counted; ours has nothing to compile. Peers are evaluated every quarter epoch too (half, \
where batches do not divide by four), and what is read from those points stands beside it: it favours them, since a \
noisy curve's first dip to the target counts, which ours has no points to show."""


def sweep(setup):
    """The answers of all settings with the first seed, and the two quickest of each group to either target."""
    swept, finalists = [], []
    for group, peer, settings in setup.groups:
        answers = []
        for setting in settings:
            request = {"peer": peer, "setting": setting, "data": setup.data, "target": min(TARGETS)}
            request["epochs"] = 2 if setup.quick else EPOCHS

            def run(seed, request=request):
                return setup.processes.peer(seed=seed, **request)

            racer = Racer(f"{group.split(',')[0]}: {label(setting)}", run, group)
            answers.append((racer, run(setup.seeds[0])))
        swept += answers
        # (two, for the first may fail with another seed)
        for target in TARGETS:
            best = sorted(answers, key=lambda pair: rank(pair[1], target))[:2]
            finalists += [racer for racer, _ in best if racer not in finalists]
    return swept, finalists


def rank(answer, target):
    """Quickest first; then the lowest last loss; failures last."""
    seconds = crossing(answer.get("parts", []), target)
    last = (answer.get("loss") or [(0, None)])[-1][1]
    return (seconds is None, seconds or 0, last is None, last or 0)


def order(racer, target, points="loss"):
    """Quickest first, those that do not get there last."""
    seconds = racer.median(target, points)
    return (seconds is None, seconds or 0)


def standings(ours, finalists, target):
    default, own = (racer.median(target) for racer in ours[:2])
    rows = []
    for racer in sorted(ours + finalists, key=lambda racer: order(racer, target)):
        steps = [1e3 * run["seconds_per_step"] for run in racer.runs if run.get("seconds_per_step")]
        rows.append([racer.name, spread(racer.seconds(target), 3), spread(racer.seconds(target, first_end), 3)]
                    + ["" if racer in ours else spread(racer.seconds(target, points="parts"), 3)]
                    + [times(racer.median(target), default), times(racer.median(target), own)]
                    + [number(median(steps), 3)])
    header = ["", f"s to {target:.2f}", "s at that epoch's end", "s by quarter epochs", "times RNGD, batch 50"]
    header += ["times RNGD, own choice", "ms per step"]
    return table(header, rows)


def statements(ours, finalists, target):
    lines = [f"To {target:.2f}:", ""]
    lines += [f"- {racer.name}: {spread(racer.seconds(target), 3)} (seconds)." for racer in ours[:2]]
    groups = {racer.group: [] for racer in finalists}
    for racer in finalists:
        groups[racer.group].append(racer)
    if len(groups) > 1:
        groups["all peers, at any batch size"] = finalists
    for group, racers in groups.items():
        for points, rule in (("loss", ""), ("parts", ", by quarter epochs")):
            best = min(racers, key=lambda racer: order(racer, target, points))
            theirs = best.median(target, points)
            if theirs is None:
                lines.append(f"- The best of {group}{rule}: none gets there.")
                continue
            ratios = [f"{times(theirs, racer.median(target))} times {racer.name}" for racer in ours[:2]]
            lines.append(f"- The best of {group}{rule}: {theirs:.3f} s, {' and '.join(ratios)} ({best.name}).")
    return "\n".join(lines if finalists else lines + ["- There are no peers in this run."])


def reliability(ours, finalists):
    rows = [[racer.name, len(racer.runs), sum(bool(run.get("error")) or diverged(run) for run in racer.runs),
             sum(run.get("survived", 0) for run in racer.runs) if racer in ours else "",
             "0" if racer in ours else number(median(run.get("compile_seconds") for run in racer.runs), 1)]
            for racer in ours + finalists]
    header = ["", "runs", "failed or not finite", "factorisations survived", "s of compilation and warming up"]
    return table(header, rows)


def diverged(run):
    return any(loss is None for _, loss in run.get("loss", []))


def swept_table(swept):
    rows = []
    for racer, answer in swept:
        points = answer.get("loss", [])
        last = answer["error"] or ("not finite" if diverged(answer) else f"{points[-1][1]:.4f}")
        found = [crossing(answer.get(key, []), target) for target in TARGETS for key in ("loss", "parts")]
        rows.append([racer.name, *(number(seconds, 3) for seconds in found), len(points), last])
    header = [f"s to {target:.2f}{rule}" for target in TARGETS for rule in ("", ", by quarters")]
    return table(["", *header, "epochs", "last loss"], rows)


def interpolation(ours, finalists):
    """How far the rule is from the truth, where more points or the epoch's end can tell."""
    fine, coarse = [], []
    for racer in finalists:
        for run in racer.runs:
            for target in TARGETS:
                pair = crossing(run.get("parts", []), target), crossing(run.get("loss", []), target)
                if all(pair):
                    fine.append(pair[0] / pair[1])
    for racer in ours[:2]:
        for run in racer.runs:
            pair = crossing(run["loss"], TARGETS[0]), first_end(run["loss"], TARGETS[0])
            if all(pair):
                coarse.append(pair[1] / pair[0])
    text = ("How far the interpolation may be off: a loss falls fastest when an epoch begins, above all the first, and "
            "the straight line then arrives late, so the rule is pessimistic; but by mini-batches' noise a curve can "
            "also come back above the target. ")
    if coarse:
        text += (f"`fisher train` has no points within epochs: RNGD's time at the epoch's end, for which nothing is "
                 f"interpolated, is {median(coarse):.3f} times the interpolated one for {TARGETS[0]:.2f} (median; at "
                 f"most {max(coarse):.3f}). ")
    if fine:
        text += (f"The peers' times by quarter epochs are {median(fine):.3f} times those by whole ones (median; "
                 f"{min(fine):.3f}–{max(fine):.3f}; where both get there).")
    return text.strip()
