"""The exact metric against plain PyTorch, which does the same."""

from curves import median
from quality import NETWORKS
from table import errors, number, table, times

# Of the samples between two refreshes, and those refreshes: nearly the same curve for less.
SAMPLED = ["--window-samples", 2000, "--refresh", 200]


def measure(setup):
    ours = [setup.of_metric("exact", *NETWORKS[0], seed) for seed in setup.seeds]
    sampled = [setup.of_metric("exact", *NETWORKS[0], seed, *SAMPLED) for seed in setup.seeds]
    theirs = []
    if setup.has_peers:
        theirs.append(setup.processes.peer(peer="torch-window", data=setup.data, quick=setup.quick))
        setup.processes.close()
    return {"exact": ours, "exact of 2,000 samples": sampled, "PyTorch": theirs}


def epoch_seconds(runs):
    return median(None if run["error"] else run["points"][-1]["seconds"] / len(run["points"]) for run in runs)


def mean_losses(runs):
    losses = [[point["loss"] for point in run["points"]] for run in runs if not run["error"]]
    return ", ".join(f"{sum(epoch) / len(epoch):.4f}" for epoch in zip(*losses) if None not in epoch)


def page(data):
    runs, sampled = data["exact"], data["exact of 2,000 samples"]
    ours, fewer = epoch_seconds(runs), epoch_seconds(sampled)
    rows = [["exact metric, all samples, T = 100", number(ours), "", "", "", mean_losses(runs)],
            ["exact metric, 2,000 samples, T = 200", number(fewer), "", "", times(fewer, ours), mean_losses(sampled)]]
    for theirs in data["PyTorch"]:
        if not theirs["error"]:
            rows.append(["plain PyTorch, extrapolated", number(theirs["epoch_seconds"])]
                        + [number(1e3 * theirs["step_seconds"], 1), number(theirs["refresh_seconds"], 2)]
                        + [times(theirs["epoch_seconds"], ours), ""])
    header = ["", "s per epoch", "ms per step", "s per refresh", "times the first", "train loss, by epoch"]
    text = ("An exact matrix for every neuron of every layer, window of 100 batches of 50 (with `--quick`, PyTorch's "
            "has 4). Plain PyTorch is timed for a few steps and refreshes (`torch_window.py`) and its epoch is "
            "extrapolated: a refresh of a full window for every 100 steps; its first, of one batch, is not counted.")
    return text + "\n\n" + table(header, rows) + "\n" + errors(data)
