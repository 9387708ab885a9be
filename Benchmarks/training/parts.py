"""The parts of the measurement. Each is given a Setup and returns its section of the report, in Markdown."""

from dataclasses import dataclass

from curves import median
from processes import Processes
from settings import DEFAULTS, QUALITY, SGD
from table import errors, number, spread, table, times

# The fewest that leave the first, slower, steps behind.
STEP_EPOCHS = 2


@dataclass
class Setup:
    processes: Processes
    # The folder of IDX files.
    data: str
    folder: str
    seeds: list
    groups: list
    quick: bool

    @property
    def has_peers(self):
        return self.processes.peer_python is not None

    def ours(self, named, seed, epochs):
        name, arguments = named
        epochs = 1 if self.quick else epochs
        return self.processes.fisher(name, *arguments, data=self.data, seed=seed, epochs=epochs)

    def defaults(self, seed):
        return self.ours(DEFAULTS, seed, 5)

    def quality(self, metric, widths, activation, seed, *more):
        arguments = ["--metric", metric, "--activation", activation, "--shape", f"784,{widths},10"]
        arguments += ["--learning-rate", 0.01, *more]
        return self.ours((f"{metric} {activation} {widths}", arguments), seed, 2)


def quality(setup):
    rows, epochs = [], [1] if setup.quick else [1, 2]
    for widths, activation in QUALITY[:1] if setup.quick else QUALITY:
        runs = {"exact": [], "auto": []}
        for seed in setup.seeds:
            for metric, made in runs.items():
                made.append(setup.quality(metric, widths, activation, seed))
        for epoch in epochs:
            losses = {m: [r["loss"][epoch - 1][1] for r in made if not r["error"]] for m, made in runs.items()}
            if any(len(found) < len(setup.seeds) for found in losses.values()):
                rows.append([f"{widths.replace(',', '-')}, {activation}", epoch, *["a run failed"] * 4])
                continue
            exact, auto = (sum(found) / len(found) for found in losses.values())
            worst = max((a - e for a, e in zip(losses["auto"], losses["exact"])), key=abs)
            rows.append([f"{widths.replace(',', '-')}, {activation}", epoch, f"{exact:.4f}", f"{auto:.4f}"]
                        + [f"{auto - exact:+.4f}", f"{worst:+.4f}"])
    header = ["hidden layers", "epoch", "exact", "auto", "auto − exact", "largest of a seed"]
    text = "Mean train cross-entropy, averaged over the seeds, at batch 50 with the defaults of both metrics."
    return text + "\n\n" + table(header, rows)


def step(setup):
    setting = {"optimizer": "sgd", "rate": 0.1, "batch": 50}
    found = {"our SGD": [], "RNGD auto, refreshes included": []}
    for seed in setup.seeds:
        found["our SGD"].append(setup.ours(SGD, seed, STEP_EPOCHS))
        found["RNGD auto, refreshes included"].append(setup.ours(DEFAULTS, seed, STEP_EPOCHS))
        for name, peer in (("PyTorch eager SGD", "torch"), ("JAX jit + scan SGD", "jax")) if setup.has_peers else ():
            request = {"peer": peer, "setting": setting, "data": setup.data, "epochs": STEP_EPOCHS}
            found.setdefault(name, []).append(setup.processes.peer(seed=seed, **request))
    sgd = median(run.get("seconds_per_step") for run in found["our SGD"])
    rows = []
    for name, runs in found.items():
        seconds = [run.get("seconds_per_step") for run in runs]
        shown = spread([None if s is None else 1e3 * s for s in seconds], 4)
        rows.append([name, shown, times(median(seconds), sgd)])
    return ("Milliseconds of a step at batch 50: median over the seeds (least–most).\n\n"
            + table(["", "ms per step", "times our SGD"], rows) + "\n" + errors(found))


# Of the samples between two refreshes, and those refreshes: nearly the same curve for less.
SAMPLED = ["--window-samples", 2000, "--refresh", 200]


def epoch_seconds(runs):
    return median(run["epochs"][-1]["seconds"] / len(run["epochs"]) if not run["error"] else None for run in runs)


def mean_losses(runs):
    losses = [[loss for _, loss in run["loss"]] for run in runs if not run["error"]]
    return ", ".join(f"{sum(epoch) / len(epoch):.4f}" for epoch in zip(*losses))


def exact(setup):
    runs = [setup.quality("exact", *QUALITY[0], seed) for seed in setup.seeds]
    sampled = [setup.quality("exact", *QUALITY[0], seed, *SAMPLED) for seed in setup.seeds]
    ours, fewer = epoch_seconds(runs), epoch_seconds(sampled)
    rows = [["exact metric, all samples, T = 100", number(ours), "", "", "", mean_losses(runs)],
            ["exact metric, 2,000 samples, T = 200", number(fewer), "", "", times(fewer, ours), mean_losses(sampled)]]
    failures = {"exact": runs, "exact of 2,000 samples": sampled}
    if setup.has_peers:
        theirs = setup.processes.peer(peer="torch-window", data=setup.data, quick=setup.quick)
        failures["PyTorch"] = [theirs]
        if not theirs["error"]:
            rows.append(["plain PyTorch, extrapolated", number(theirs["epoch_seconds"])]
                        + [number(1e3 * theirs["step_seconds"], 1), number(theirs["refresh_seconds"], 2)]
                        + [times(theirs["epoch_seconds"], ours), ""])
    header = ["", "s per epoch", "ms per step", "s per refresh", "times the first", "train loss, by epoch"]
    text = ("An exact matrix for every neuron of every layer, window of 100 batches of 50 (with `--quick`, PyTorch's "
            "has 4). Plain PyTorch is timed for a few steps and refreshes (`torch_window.py`) and its epoch is "
            "extrapolated: a refresh of a full window for every 100 steps; its first, of one batch, is not counted.")
    return text + "\n\n" + table(header, rows) + "\n" + errors(failures)


def memory(setup):
    runs = [setup.defaults(seed) for seed in setup.seeds]
    peaks = [run["peak_memory_bytes"] for run in runs]
    planned = [run["planned_bytes"] for run in runs]
    text = "Peak resident memory of the process, the data set included: RNGD auto at batch 50.\n\n"
    rows = [["measured, MB", spread([None if p is None else p / 1e6 for p in peaks], 1)]]
    if all(planned):
        rows.append(["planned, MB", spread([p / 1e6 for p in planned], 1)])
        rows.append(["measured / planned", spread([a / b for a, b in zip(peaks, planned)], 3)])
    else:
        text += "The plan's prediction is not compared: this build of the tool prints none for the whole process.\n\n"
    return text + table(["", "median over the seeds"], rows) + "\n" + errors({"RNGD auto": runs})
