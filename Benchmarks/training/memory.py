"""The memory of a run against what its plan says."""

from table import errors, spread, table


def measure(setup):
    return {"RNGD auto": [setup.defaults(seed) for seed in setup.seeds]}


def page(data):
    runs = data["RNGD auto"]
    peaks = [run["peak_memory_bytes"] for run in runs]
    planned = [run["planned_bytes"] for run in runs]
    text = "Peak resident memory of the process, the data set included: RNGD auto at batch 50.\n\n"
    rows = [["measured, MB", spread([None if p is None else p / 1e6 for p in peaks], 1)]]
    if all(planned) and all(peaks):
        rows.append(["planned, MB", spread([p / 1e6 for p in planned], 1)])
        rows.append(["measured / planned", spread([a / b for a, b in zip(peaks, planned)], 3)])
    else:
        text += "The plan's prediction is not compared: a run printed none for the whole process.\n\n"
    return text + table(["", "median over the seeds"], rows) + "\n" + errors(data)
