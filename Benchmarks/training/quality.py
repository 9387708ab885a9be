"""The quality of the automatic metric against that of the exact one."""

from table import table

NETWORKS = [("80,80,80", "relu"), ("100,100,100", "relu"), ("80,80,80", "tanh")]


def measure(setup):
    rows = []
    for widths, activation in NETWORKS[:1] if setup.quick else NETWORKS:
        runs = {"exact": [], "auto": []}
        for seed in setup.seeds:
            for metric, made in runs.items():
                made.append(setup.of_metric(metric, widths, activation, seed))
        rows.append({"network": f"{widths.replace(',', '-')}, {activation}", "runs": runs})
    return {"rows": rows, "epochs": [1] if setup.quick else [1, 2]}


def page(data):
    lines = []
    for row in data["rows"]:
        for epoch in data["epochs"]:
            losses = {m: [run["points"][epoch - 1]["loss"] for run in made if not run["error"]]
                      for m, made in row["runs"].items()}
            if any(None in found or len(found) < len(row["runs"][m]) for m, found in losses.items()):
                lines.append([row["network"], epoch, *["a run failed"] * 4])
                continue
            exact, auto = (sum(found) / len(found) for found in losses.values())
            worst = max((a - e for a, e in zip(losses["auto"], losses["exact"])), key=abs)
            lines.append([row["network"], epoch, f"{exact:.4f}", f"{auto:.4f}"]
                         + [f"{auto - exact:+.4f}", f"{worst:+.4f}"])
    header = ["hidden layers", "epoch", "exact", "auto", "auto − exact", "largest of a seed"]
    text = "Mean train cross-entropy, averaged over the seeds, at batch 50 with the defaults of both metrics."
    return text + "\n\n" + table(header, lines)
