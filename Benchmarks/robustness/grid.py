"""The robustness grid: RNGD's defaults, and other rates than its default, against SGD and Adam at theirs.

usage: grid.py FISHER OUT [--data NAMES] [--nets NAMES] [--batches LIST] [--factors LIST] [--seeds N] [--flags "..."]
               [--threads N] [--jobs N] [--baselines OUT2] [--markdown FILE] [--allow N]

Runs `fisher experiment` once for each data set and mini-batch size, with logs in OUT (a run that is there is not done
again), and prints a table. --flags are further flags of rngd; --baselines takes SGD's and Adam's runs from another OUT.
"""
import argparse, json, os, subprocess, sys

SETS = {
    "fashion": ("--data {out}/fashion", 784, 10),
    "shapes": ("--data {out}/shapes", 256, 8),
    "synthetic": ("--data synthetic", 64, 10),
    "table-30": ("--data synthetic --units 30", 64, 10),
    "table-1000": ("--data synthetic --units 1000", 64, 10),
    "table-mixed": ("--data synthetic --units 1,30,1000", 64, 10),
}
NETS = {"3x80": [80] * 3, "8x80": [80] * 8, "20x20": [20] * 20, "1x1000": [1000], "cnn": None}
IMAGES = ("fashion", "shapes")  # what a convolution can see something in
EPOCHS = 2


def usual_rate(batch):
    return min(0.1, 0.01 * (batch / 50) ** (0.5 if batch < 50 else 0.75))


def rates(batch, factors):
    return [float(f"{usual_rate(batch) * f:.6g}") for f in factors]


def networks(options, name):
    return [net for net in options.nets if NETS[net] or name in IMAGES]


def grid(options, name, batch, optimizers):
    flags, inputs, classes = SETS[name]
    nets = [
        {"name": net, "flags": "--shape " + ",".join(map(str, [inputs, *NETS[net], classes])) if NETS[net] else f"--model {net}"}
        for net in networks(options, name)
    ]
    return {
        "name": f"{name} {batch}", "flags": f"{flags.format(out=options.data_dir)} --batch {batch} --epochs {EPOCHS}",
        "networks": nets, "optimizers": optimizers, "selection_seeds": options.seeds, "seeds": options.seeds,
    }


def run(options, out, name, batch, kind, optimizers):
    path = f"{out}/{name}-{batch}-{kind}"
    with open(path + ".json", "w") as f:
        json.dump(grid(options, name, batch, optimizers), f)
    command = [options.fisher, "experiment", path + ".json", "--log", path + ".jsonl", "--quiet",
               "--jobs", str(options.jobs), "--threads", str(options.threads)]
    status = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if status.returncode != 0:
        print(f"{name} {batch} {kind}: exit {status.returncode}: {status.stderr.strip()[-300:]}", file=sys.stderr)


def records(path):
    if not os.path.exists(path):
        return []
    with open(path) as f:
        lines = [json.loads(line) for line in f]
    return [line for line in lines if line.get("kind") == "run"]


def final(record):
    return record["epochs"][-1]["train_loss"] if not record.get("failure") and record["epochs"] else float("nan")


def mean(values):
    return sum(values) / len(values) if values else float("nan")


def table(options):
    """One row for each data set, network and mini-batch: mean train losses over seeds."""
    rows = []
    for name in options.data:
        for batch in options.batches:
            ours = records(f"{options.out}/{name}-{batch}-rngd.jsonl")
            others = records(f"{options.baselines}/{name}-{batch}-others.jsonl")
            for net in networks(options, name):
                row = {"data": name, "net": net, "batch": batch, "failures": []}
                for factor, rate in zip(options.factors, rates(batch, options.factors)):
                    cell = [r for r in ours if r["network"] == net and abs(r["learning_rate"] / rate - 1) < 1e-6]
                    row[factor] = [final(r) for r in cell]
                    row["failures"] += [f"seed {r['seed']} at x{factor:g}: {r['failure']}" for r in cell if r.get("failure")]
                for optimizer in ("SGD", "Adam"):
                    row[optimizer] = [final(r) for r in others if r["network"] == net and r["optimizer"] == optimizer]
                rows.append(row)
    return rows


def better(row):
    """The mean loss of the better of SGD and Adam, of those that ended in numbers."""
    means = [mean(row[o]) for o in ("SGD", "Adam")]
    return min((m for m in means if m == m), default=float("nan"))


def loses(row, tolerance=0.0):
    """At x1: the mean train loss is above the better one's, by more than this share of it."""
    bound = better(row)
    return not mean(row[1.0]) <= bound * (1 + tolerance) if bound == bound else mean(row[1.0]) != mean(row[1.0])


def text(value):
    return "NaN" if value != value else f"{value:.4f}" if value < 1000 else f"{value:.1e}"


def summary(options, rows):
    """Lines of text: how many cells, how many lost, how many runs failed."""
    cells = len(rows)
    runs = sum(len(row[f]) for row in rows for f in options.factors)
    failures = [f"{row['data']}, {row['net']}, batch {row['batch']}, {text}" for row in rows for text in row["failures"]]
    others = sum(value != value for row in rows for o in ("SGD", "Adam") for value in row[o])
    lines = [f"{runs} runs of RNGD in {cells} cells, {len(failures)} of them failed; of SGD's and Adam's {others} did."]
    if 1.0 in options.factors:
        strict, lost = [r for r in rows if loses(r)], [r for r in rows if loses(r, 0.005)]
        lines.append(
            f"At x1 the mean train loss is no worse than the better of SGD and Adam in {cells - len(strict)} cells, and by no "
            f"more than half a percent in {cells - len(lost)} ({100 * (cells - len(lost)) / max(1, cells):.1f} %).")
        lines += [
            f"Exception: {r['data']}, {r['net']}, batch {r['batch']}: {text(mean(r[1.0]))} against {text(better(r))}"
            for r in strict
        ]
    return lines + [f"Failed: {failure}" for failure in failures]


def show(options, rows):
    head = "".join(f"{'x' + format(f, 'g'):>10}" for f in options.factors)
    print(f"{'data':12} {'net':7} {'batch':>5} {head} {'SGD':>9} {'Adam':>9}")
    for row in rows:
        cells = "".join(f"{text(mean(row[f])):>10}" for f in options.factors)
        mark = "  worse" if 1.0 in options.factors and loses(row) else ""
        mark += f"  {len(row['failures'])} failed" if row["failures"] else ""
        print(f"{row['data']:12} {row['net']:7} {row['batch']:5} {cells} {text(mean(row['SGD'])):>9} {text(mean(row['Adam'])):>9}{mark}")
    print("\n".join(summary(options, rows)))


def markdown(options, rows, path):
    version = subprocess.run([options.fisher, "--version"], capture_output=True, text=True).stdout.strip()
    with open(path, "w") as f:
        f.write("# RNGD's defaults beside the tuned point\n\n")
        f.write(
            "Mean train cross-entropy after two epochs, by network (hidden layers x width), mini-batch, and learning rate as a "
            f"multiple of RNGD's default; SGD and Adam at their defaults. {options.seeds} "
            f"{'seed' if options.seeds == 1 else 'seeds'}, one thread a run, L2 1e-3 for all. RNGD has no flag but its rate. "
            f"FisherKit {version}; `scripts/robustness` makes this page.\n\n"
            "fashion: the first 6,000 training images of Fashion-MNIST. shapes: 16x16 images that "
            "`Benchmarks/robustness/datasets.py` draws, 8 classes. synthetic: the built-in set. table-30, -1000, -mixed: the "
            "same in units of 30, of 1000, and of 1, 30 and 1000 in turn. A loss of ln 10 = 2.303 (ln 8 = 2.079 of shapes) is "
            "chance.\n\n")
        f.write("\n".join(f"- {line}" for line in summary(options, rows)) + "\n\n")
        f.write("| data | network | batch | " + " | ".join(f"x{x:g}" for x in options.factors) + " | SGD | Adam |\n")
        f.write("|---|---|---|" + "---|" * (len(options.factors) + 2) + "\n")
        for row in rows:
            cells = [text(mean(row[x])) for x in options.factors] + [text(mean(row[o])) for o in ("SGD", "Adam")]
            f.write(f"| {row['data']} | {row['net']} | {row['batch']} | " + " | ".join(cells) + " |\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fisher")
    parser.add_argument("out")
    words = lambda known: lambda text: [w for w in text.split(",") if w in known or sys.exit(f"grid.py: expected {', '.join(known)}, found {w}")]
    parser.add_argument("--data", type=words(SETS), default=list(SETS))
    parser.add_argument("--nets", type=words(NETS), default=list(NETS))
    parser.add_argument("--batches", type=lambda t: [int(b) for b in t.split(",")], default=[1, 4, 10, 20, 50, 200, 1000])
    parser.add_argument("--factors", type=lambda t: [float(f) for f in t.split(",")], default=[0.3, 1.0, 3.0, 10.0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--flags", default="")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--baselines")
    parser.add_argument("--markdown", help="where to write the page")
    parser.add_argument("--allow", type=int, help="exit 1 where more cells than this are worse by half a percent, or a run failed")
    parser.add_argument("--data-dir", help="where datasets.py wrote (default: OUT/data)")
    options = parser.parse_args()
    options.data_dir = options.data_dir or f"{options.out}/data"
    os.makedirs(options.out, exist_ok=True)
    others = [{"name": "SGD", "flags": "--optimizer sgd", "learning_rates": [0.1]},
              {"name": "Adam", "flags": "--optimizer adam", "learning_rates": [0.0005]}]
    for name in options.data:
        for batch in options.batches:
            ours = [{"name": "RNGD", "flags": f"--optimizer rngd {options.flags}".strip(),
                     "learning_rates": rates(batch, options.factors)}]
            run(options, options.out, name, batch, "rngd", ours)
            if not options.baselines:
                run(options, options.out, name, batch, "others", others)
    options.baselines = options.baselines or options.out
    rows = table(options)
    show(options, rows)
    if options.markdown:
        markdown(options, rows, options.markdown)
    if options.allow is not None:
        failed = any(row["failures"] or not row[f] or mean(row[f]) != mean(row[f]) for row in rows for f in options.factors)
        sys.exit(failed or sum(loses(row, 0.005) for row in rows) > options.allow)


if __name__ == "__main__":
    main()
