"""Milliseconds of a step: SGD and RNGD over widths, and Muon, ours and the peers'."""

from curves import median
from table import errors, number, spread, table, times

WIDTHS = [(80, 50), (80, 500), (128, 500), (256, 500), (512, 500), (1024, 500), (2048, 500)]
MUON = [(80, 500), (1024, 500)]
EPOCHS = 2
RATES = {"sgd": 0.1, "muon": 0.02, "rngd": 0.01}
PEERS = {"JAX": "jax", "PyTorch": "torch"}
# Ours, with products of bfloat16 in Muon's iteration, as PyTorch's has.
HALF = "ours in bfloat16"


def measure(setup):
    widths, muon = (WIDTHS[:2], MUON[:1]) if setup.quick else (WIDTHS, MUON)
    has_muon = "muon" in (setup.processes.flags.get("--optimizer") or [])
    rows = []
    for optimizer, places in (("sgd", widths), ("rngd", widths), ("muon", muon)):
        rows += [{"optimizer": optimizer, "width": width, "batch": batch, "runs": {}} for width, batch in places]
    for seed in setup.seeds[:3]:
        for row in rows:
            if row["optimizer"] != "muon" or has_muon:
                row["runs"].setdefault("ours", []).append(ours(setup, row, seed))
            if row["optimizer"] == "muon" and has_bfloat16(setup):
                row["runs"].setdefault(HALF, []).append(ours(setup, row, seed, ["--muon-precision", "bfloat16"]))
            for name, peer in PEERS.items() if setup.has_peers and row["optimizer"] != "rngd" else ():
                row["runs"].setdefault(name, []).append(theirs(setup, row, peer, seed))
    setup.processes.close()
    return {"rows": rows, "has_muon": has_muon}


def has_bfloat16(setup):
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return "avx512_bf16" in file.read() and "bfloat16" in (setup.processes.flags.get("--muon-precision") or [])


def hidden(row):
    return [row["width"]] * 3


def ours(setup, row, seed, more=()):
    name, batch = row["optimizer"], row["batch"]
    # (at the defaults' batch, the defaults' rate)
    rate = [] if name == "rngd" and batch == 50 else ["--learning-rate", RATES[name]]
    shape = ",".join(map(str, [setup.inputs, *hidden(row), 10]))
    return setup.processes.fisher(
        f"our {name.upper()} {row['width']} at {batch}",
        ["--optimizer", name, *rate, "--batch", batch, "--shape", shape, *more],
        data=setup.data, seed=seed, epochs=EPOCHS)


def theirs(setup, row, peer, seed):
    setting = {"rate": RATES[row["optimizer"]], "batch": row["batch"], "l2": 1e-3}
    if row["optimizer"] == "muon":
        setting["adam_rate"] = 1e-3
    return setup.processes.peer(
        peer=peer, optimizer=row["optimizer"], setting=setting, seed=seed, data=setup.data, hidden=hidden(row),
        epochs=EPOCHS, evaluations=1)


def milliseconds(run):
    """Of a step of the last epoch: the first has early refreshes and first touches of memory.

    >>> points = [{"step": 10, "seconds": 2}, {"step": 20, "seconds": 3}]
    >>> milliseconds({"points": points}), milliseconds({"points": points[:1]}), milliseconds({"points": []})
    (100.0, 200.0, None)
    """
    points = [{"step": 0, "seconds": 0}, *run["points"]]
    if len(points) < 2:
        return None
    return 1e3 * (points[-1]["seconds"] - points[-2]["seconds"]) / (points[-1]["step"] - points[-2]["step"])


def page(data):
    middle, failed = {}, {}
    for row in data["rows"]:
        for name, runs in row["runs"].items():
            values = [milliseconds(run) for run in runs]
            middle[row["optimizer"], row["width"], row["batch"], name] = values
            failed[f"{name}, {row['optimizer']}, {row['width']} at {row['batch']}"] = runs
    parts = ["Milliseconds of a step in a run's second epoch, refreshes included, evaluation not: median over the seeds "
             "(least–most). Networks are inputs-w-w-w-10.",
             compared(data, middle, "sgd", "SGD") + "\n\n" + ratios(data, middle)]
    parts.append(compared(data, middle, "muon", "Muon"))
    if not data["has_muon"]:
        parts[-1] += "\n\nThis build of the tool has no Muon."
    return "\n\n".join(parts) + "\n" + errors(failed)


def compared(data, middle, optimizer, title):
    found = [row for row in data["rows"] if row["optimizer"] == optimizer]
    names = ["ours"] + [HALF] * any(HALF in row["runs"] for row in found) + list(PEERS)
    own, lines = [name for name in names if name not in PEERS], []
    for row in found:
        values = {name: middle.get((optimizer, row["width"], row["batch"], name), []) for name in names}
        medians = {name: median(of) for name, of in values.items()}
        lines.append([f"w = {row['width']:,}, batch {row['batch']}"]
                     + [spread(of, 3) if of else "–" for of in values.values()]
                     + [times(medians[peer], medians[name]) for name in own for peer in PEERS])
    return table([title, *names, *(f"{peer} / {name}" for name in own for peer in PEERS)], lines)


def ratios(data, middle):
    lines = []
    for row in data["rows"]:
        if row["optimizer"] == "rngd":
            rngd, sgd = (median(middle.get((name, row["width"], row["batch"], "ours"), [])) for name in ("rngd", "sgd"))
            lines.append([f"w = {row['width']:,}, batch {row['batch']}"]
                         + [number(rngd, 3), number(sgd, 3), times(rngd, sgd)])
    return table(["ours", "RNGD auto", "SGD", "RNGD / SGD"], lines)
