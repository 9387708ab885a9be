"""How the time of a step grows with the widths of the hidden layers and with the number of inputs."""

import os
import shutil

import images
from curves import exponent, median
from table import errors, number, table, times


def growth(setup):
    # (auto's own choice of the interval at this batch size)
    refresh, batch = (10, 64) if setup.quick else (39, 256)
    # Refreshes are at step 1 and at multiples of the interval: two of them in these steps, one in `refresh` steps.
    steps = 2 * refresh - 1
    widths = [80, 160] if setup.quick else [80, 128, 256, 512, 1024, 2048]
    inputs = [100, 200] if setup.quick else [100, 256, 784, 2048, 4096, 8192]
    wide = [(w, 784, [w, w, w]) for w in widths]
    deep = [(d, d, [80, 80, 80]) for d in inputs]
    return "\n\n".join([
        f"Milliseconds of a step, batch {batch}, refreshes every {refresh} steps included: median over "
        f"{min(3, len(setup.seeds))} runs of {steps} steps on synthetic images. Two "
        f"refreshes are in them, at step 1 (of one batch) and at step {refresh}.",
        grown(setup, "w", "784-w-w-w-10", wide, steps, batch, refresh),
        grown(setup, "d", "d-80-80-80-10", deep, steps, batch, refresh),
    ])


def grown(setup, symbol, network, points, steps, batch, refresh):
    metrics = {"SGD": ["--optimizer", "sgd"], "RNGD auto": ["--refresh", refresh]}
    rows, seconds, sizes, failures = [], {name: [] for name in metrics}, [], {}
    folder, width_of_folder = os.path.join(setup.folder, "images"), None
    for size, width, hidden in points:
        if width != width_of_folder:
            shutil.rmtree(folder, ignore_errors=True)
            images.write(folder, width, steps * batch + 64)
            width_of_folder = width
        found = {name: [] for name in metrics}
        for seed in setup.seeds[:3]:
            for name, arguments in metrics.items():
                shape = ",".join(map(str, [width, *hidden, 10]))
                run = setup.processes.fisher(
                    f"{name} {symbol}={size}", *arguments, "--learning-rate", 0.001, "--shape", shape, "--batch", batch,
                    "--validation", 64, data=folder, seed=seed, epochs=1)
                found[name].append(run)
                failures.setdefault(f"{name}, {symbol} = {size}", []).append(run)
        middle = {name: median(run["seconds_per_step"] for run in runs) for name, runs in found.items()}
        rows.append([f"{symbol} = {size:,}"] + [number(s and 1e3 * s, 3) for s in middle.values()]
                    + [times(middle["RNGD auto"], middle["SGD"])])
        if all(middle.values()):
            sizes.append(size)
            for name, value in middle.items():
                seconds[name].append(value)
    shutil.rmtree(folder, ignore_errors=True)
    for text, count in (("exponent, all sizes", len(sizes)), ("exponent, last three", 3)):
        rows.append([text] + [number(exponent(sizes[-count:], seconds[name][-count:])) for name in metrics] + [""])
    return table([network, *metrics, "RNGD / SGD"], rows) + "\n" + errors(failures)
