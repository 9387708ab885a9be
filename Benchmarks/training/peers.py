"""The peers of `fisher train` on its task: reads requests, a JSON object a line, and answers each with a JSON line.

To see one:
  echo '{"peer": "jax", "optimizer": "adam", "data": FOLDER, "hidden": [80, 80, 80], "seed": 0, "epochs": 12,
         "setting": {"rate": 1e-3, "batch": 200, "l2": 1e-3}, "target": 0.27, "threads": 2}' | python3 peers.py

The task is that of `fisher train`: the last sixth of the training images is for validation, pixels are divided by 255,
weights are Glorot uniform and biases zero, and L2 and decay are those of the setting, on weights, not on biases. A seed
fixes the starting weights and the order of the batches, for all peers alike. The seconds hold gathering and training.
What is left out: imports, compilation and the first steps (on weights that are thrown away), drawing the order,
evaluation. The mean loss over all training samples is evaluated `evaluations` times an epoch, and where the run ends;
that of the validation samples, and their accuracy, at ends of epochs and of the run.
"""

import json
import math
import resource
import sys
import time

# The sources stay as they are.
sys.dont_write_bytecode = True

import networks
import schedules

# Steps of a warm-up that need not have all lengths.
WARM_STEPS = 25


def make(request, data={}, peers={}):
    """The peer, made once for all requests to this process."""
    import task

    name, folder = request["peer"], request["data"]
    if folder not in data:
        data[folder] = task.samples(folder)
    if (name, folder) not in peers:
        if name == "torch":
            from peers_torch import Torch as Peer
        elif name == "jax":
            from peers_jax import Jax as Peer
        else:
            from peers_kfac import KfacJax as Peer
        peers[name, folder] = Peer(*data[folder], request["threads"])
    return peers[name, folder], data[folder][0][0].shape


class Order:
    """Batches without replacement, drawn anew for each epoch."""

    def __init__(self, seed, count, batch):
        import numpy

        self.draw, self.numpy = numpy.random.default_rng(seed), numpy
        self.count, self.batch, self.rest = count, batch, numpy.empty((0, batch), int)

    def next(self, steps):
        per_epoch = self.count // self.batch
        while len(self.rest) < steps:
            epoch = self.draw.permutation(self.count)[: per_epoch * self.batch].reshape(per_epoch, self.batch)
            self.rest = self.numpy.concatenate([self.rest, epoch])
        taken, self.rest = self.rest[:steps], self.rest[steps:]
        return taken


def stops(epochs, per_epoch, evaluations):
    """The steps at which a run of so many epochs is evaluated, the last one its end.

    >>> stops(2, 10, 2), stops(0.6, 10, 4), stops(1, 3, 4)
    ([5, 10, 15, 20], [2, 5, 6], [1, 2, 3])
    """
    last = max(1, round(epochs * per_epoch))
    inner = {int(part * per_epoch / evaluations) for part in range(1, math.ceil(epochs * evaluations) + 1)}
    return sorted({step for step in inner if 0 < step < last} | {last})


def train(request):
    peer, (count, width) = make(request)
    setting, seed = {k: v for k, v in request["setting"].items() if v is not None}, request["seed"]
    if setting["batch"] > count:
        raise ValueError(f"batch: expected at most {count} samples, found {setting['batch']}")
    per_epoch = count // setting["batch"]
    schedule = setting.get("schedule", "constant")
    horizon = setting.get("horizon", request["epochs"])
    factors = None
    if schedule != "constant":
        steps = max(1, round(horizon * per_epoch))
        factors = [schedules.factor(schedule, step, steps) for step in range(steps)]
    epochs = min(horizon, request["epochs"]) if schedules.decays(schedule) else request["epochs"]
    ends = stops(epochs, per_epoch, request.get("evaluations", 4))
    lengths = [b - a for a, b in zip([0] + ends, ends)]

    start = time.perf_counter()
    peer.is_compiled = request.get("compiled", False)
    peer.prepare(request["optimizer"], setting, networks.layers(request, width), factors)
    for length in sorted(set(lengths)) if peer.whole_lengths else [min(WARM_STEPS, lengths[0])]:
        peer.start(seed)
        peer.train(Order(seed, count, setting["batch"]).next(length))
    for samples in (peer.training, peer.validation):
        peer.evaluate(samples)
    peer.start(seed)
    first_seconds = time.perf_counter() - start

    order, seconds, points = Order(seed, count, setting["batch"]), 0.0, []
    for end, length in zip(ends, lengths):
        batches = order.next(length)
        start = time.perf_counter()
        peer.train(batches)
        seconds += time.perf_counter() - start
        loss, _ = peer.evaluate(peer.training)
        point = {"epoch": end / per_epoch, "step": end, "seconds": seconds, "loss": loss}
        points.append(point)
        if not math.isfinite(loss):
            point["loss"] = None
            break
        done = loss <= (request.get("target") or 0) or seconds >= (request.get("seconds") or math.inf)
        if end % per_epoch == 0 or end == ends[-1] or done:
            point["validation_loss"], point["validation_accuracy"] = peer.evaluate(peer.validation)
        if done:
            break
    return {
        "points": points,
        "seconds": seconds,
        "seconds_per_step": seconds / points[-1]["step"],
        "compile_seconds": first_seconds,
        "versions": peer.versions,
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10,
    }


def answer(request):
    if request["peer"] == "torch-window":
        import task
        import torch_window

        return torch_window.measure(*task.samples(request["data"])[0], request["threads"], request["quick"])
    return train(request)


def main():
    for line in sys.stdin:
        try:
            found = answer(json.loads(line))
        except Exception as error:  # whatever a peer throws is its result
            found = {"error": (f"{type(error).__name__}: {error}".splitlines() or ["unknown"])[0][:200]}
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
