"""How the time of a step grows with the widths of the hidden layers and with the number of inputs."""

import os
import shutil

import images
from curves import exponent, median
from table import errors, number, table, times


def measure(setup):
    # (auto's own choice of the interval at this batch size)
    refresh, batch = (10, 64) if setup.quick else (39, 256)
    # Refreshes are at step 1 and at multiples of the interval: two of them in these steps, one in `refresh` steps.
    steps = 2 * refresh - 1
    widths = [80, 160] if setup.quick else [80, 128, 256, 512, 1024, 2048]
    inputs = [100, 200] if setup.quick else [100, 256, 784, 2048, 4096, 8192]
    wide = [(w, 784, [w, w, w]) for w in widths]
    deep = [(d, d, [80, 80, 80]) for d in inputs]
    said = {"refresh": refresh, "batch": batch, "steps": steps, "seeds": setup.seeds[:3]}
    return said | {
        "w": {"network": "784-w-w-w-10", "points": grown(setup, "w", wide, said)},
        "d": {"network": "d-80-80-80-10", "points": grown(setup, "d", deep, said)},
    }


def grown(setup, symbol, points, said):
    metrics = {"SGD": ["--optimizer", "sgd"], "RNGD auto": ["--refresh", said["refresh"]]}
    found = []
    folder, width_of_folder = os.path.join(setup.folder, "images"), None
    for size, width, hidden in points:
        if width != width_of_folder:
            shutil.rmtree(folder, ignore_errors=True)
            images.write(folder, width, said["steps"] * said["batch"] + 64)
            width_of_folder = width
        found.append({"size": size, "runs": {name: [] for name in metrics}})
        for seed in said["seeds"]:
            for name, arguments in metrics.items():
                shape = ",".join(map(str, [width, *hidden, 10]))
                arguments = [*arguments, "--learning-rate", 0.001, "--shape", shape, "--batch", said["batch"]]
                run = setup.processes.fisher(
                    f"{name} {symbol}={size}", [*arguments, "--validation", 64], data=folder, seed=seed, epochs=1)
                found[-1]["runs"][name].append(run)
    shutil.rmtree(folder, ignore_errors=True)
    return found


def page(data):
    return "\n\n".join([
        f"Milliseconds of a step, batch {data['batch']}, refreshes every {data['refresh']} steps included: median over "
        f"{len(data['seeds'])} runs of {data['steps']} steps on synthetic images. Two "
        f"refreshes are in them, at step 1 (of one batch) and at step {data['refresh']}.",
        sizes(data["w"], "w"),
        sizes(data["d"], "d"),
    ])


def sizes(data, symbol):
    metrics = list(data["points"][0]["runs"])
    rows, seconds, known, failures = [], {name: [] for name in metrics}, [], {}
    for point in data["points"]:
        middle = {name: median(run["seconds_per_step"] for run in runs) for name, runs in point["runs"].items()}
        rows.append([f"{symbol} = {point['size']:,}"] + [number(s and 1e3 * s, 3) for s in middle.values()]
                    + [times(middle["RNGD auto"], middle["SGD"])])
        failures |= {f"{name}, {symbol} = {point['size']}": runs for name, runs in point["runs"].items()}
        if all(middle.values()):
            known.append(point["size"])
            for name, value in middle.items():
                seconds[name].append(value)
    for text, count in (("exponent, all sizes", len(known)), ("exponent, last three", 3)):
        rows.append([text] + [number(exponent(known[-count:], seconds[name][-count:])) for name in metrics] + [""])
    return table([data["network"], *metrics, "RNGD / SGD"], rows) + "\n" + errors(failures)
