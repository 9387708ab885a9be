"""Milliseconds of a step, and the memory of the process, on the networks of `fisher train --model`, ours and the peers'."""

from curves import median
from steps import milliseconds
from table import errors, number, spread, table, times

PLACES = [("cnn", 50), ("cnn", 500), ("residual-cnn", 50)]
EPOCHS = {"cnn": 2, "residual-cnn": 1}
OURS = {"SGD": ["--optimizer", "sgd", "--learning-rate", "0.05"], "Adam": ["--optimizer", "adam", "--learning-rate", "0.001"],
        "Muon": ["--optimizer", "muon", "--learning-rate", "0.02"], "RNGD, the defaults": []}
PEERS = {"JAX": {"peer": "jax"}, "PyTorch": {"peer": "torch"}, "PyTorch, compiled": {"peer": "torch", "compiled": True}}
SETTINGS = {"SGD": ("sgd", {"rate": 0.05}), "Adam": ("adamw", {"rate": 0.001, "decay": 0.01}),
            "Muon": ("muon", {"rate": 0.02, "adam_rate": 0.001})}


def measure(setup):
    places = PLACES[:1] if setup.quick else PLACES
    rows = [{"model": model, "batch": batch, "optimizer": optimizer, "runs": {}} for model, batch in places for optimizer in OURS]
    for seed in setup.seeds[:3]:
        for row in rows:
            row["runs"].setdefault("ours", []).append(ours(setup, row, seed))
            for name, peer in PEERS.items() if setup.has_peers and row["optimizer"] in SETTINGS else ():
                row["runs"].setdefault(name, []).append(theirs(setup, row, peer, seed))
    setup.processes.close()
    return {"rows": rows}


def ours(setup, row, seed):
    words = [*OURS[row["optimizer"]], "--batch", row["batch"], "--model", row["model"], "--l2", 0]
    return setup.processes.fisher(
        f"our {row['optimizer']}, {row['model']} at {row['batch']}", words, data=setup.data, seed=seed, epochs=EPOCHS[row["model"]])


def theirs(setup, row, peer, seed):
    optimizer, setting = SETTINGS[row["optimizer"]]
    return setup.processes.peer(
        **peer, optimizer=optimizer, setting=setting | {"batch": row["batch"]}, seed=seed, data=setup.data,
        hidden=[], model=row["model"], epochs=EPOCHS[row["model"]], evaluations=1)


def page(data):
    lines, memory, failed = [], [], {}
    names = ["ours", *PEERS]
    for row in data["rows"]:
        place = f"{row['model']}, batch {row['batch']}, {row['optimizer']}"
        values = {name: [milliseconds(run) for run in row["runs"].get(name, [])] for name in names}
        middle = {name: median(of) for name, of in values.items()}
        lines.append([place] + [spread(of, 2) if of else "–" for of in values.values()]
                     + [times(middle[name], middle["ours"]) for name in PEERS])
        peaks = {name: median(run.get("peak_memory_bytes") for run in row["runs"].get(name, [])) for name in names}
        memory.append([place] + [number(peaks[name] and peaks[name] / 1e6, 0) for name in names])
        failed |= {f"{name}, {place}": runs for name, runs in row["runs"].items()}
    text = ("Milliseconds of a step in a run's second epoch, of residual-cnn its only one, refreshes included, evaluation not: median over the seeds "
            "(least–most).\n\n" + table(["", *names, *(f"{name} / ours" for name in PEERS)], lines))
    text += ("\n\nTimes RNGD's step takes SGD's, ours: " + shares(data) + ".\n\nPeak resident memory of the process, MB, with its "
             "libraries and the data; a peer's process has made the runs above it too:\n\n" + table(["", *names], memory))
    return text + "\n" + errors(failed)


def shares(data):
    found = {}
    for row in data["rows"]:
        found.setdefault((row["model"], row["batch"]), {})[row["optimizer"]] = median(map(milliseconds, row["runs"]["ours"]))
    return ", ".join(f"{times(of.get('RNGD, the defaults'), of.get('SGD'))} ({model}, batch {batch})"
                     for (model, batch), of in found.items())
