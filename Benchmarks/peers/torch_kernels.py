"""PyTorch's side of `bench-fisher --peer`: the same work as each kernel, in several formulations.

Started by bench-fisher. Reads a request a line, as JSON, and answers in a line: the median seconds of the best
formulation, its name, and the medians of all. Outputs and buffers are allocated before anything is timed. Formulations
have to agree with each other. Repetitions follow the rule that bench-fisher follows, which comes with the request.

To see what it answers: echo '{"kernel": "gemm", "sizes": {"d": 81, "m": 80, "n": 50}, "precision": "float",
"threads": 2, "patience": {"repetitions": 20, "seconds": 0.3, "limit": 1, "least": 3}}' | python3 torch_kernels.py
"""

import json
import os
import statistics
import sys
import time

try:
    import torch
except ImportError as error:
    print(json.dumps({"error": f"expected a Python with PyTorch, found none: {error}"}), flush=True)
    sys.exit(1)

# The sources stay as they are.
sys.dont_write_bytecode = True

import torch_blocks
import torch_images
import torch_layers

KERNELS = torch_blocks.KERNELS | torch_images.KERNELS | torch_layers.KERNELS
# A formulation whose second call takes so many times the best median, or its first four times as many, is not timed
# further.
HOPELESS = 5


def timed(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def median(run, patience, best):
    """Two calls to warm up, then as many as the patience says."""
    first = timed(run)
    if first > 4 * HOPELESS * best:
        return first
    second = timed(run)
    if second > HOPELESS * best:
        return second
    times, total = [], 0.0
    while not (
        len(times) >= patience["least"]
        and (total >= patience["limit"] or len(times) >= patience["repetitions"] and total >= patience["seconds"])
    ):
        times.append(timed(run))
        total += times[-1]
    return statistics.median(times)


def check(name, found, expected, tolerance):
    error = ((found.double() - expected).abs().max() / expected.abs().max()).item()
    if not error <= tolerance:
        raise ValueError(f"expected {name} to agree within {tolerance}, found a relative difference of {error:.1e}")


def answer(request):
    kernel = KERNELS[request["kernel"]]
    torch.set_num_threads(request["threads"])
    torch.manual_seed(0)
    dtype = {"float": torch.float32, "double": torch.float64}[request["precision"]]
    medians, expected = {}, None
    for name, formulation in kernel(dtype=dtype, **request["sizes"]).items():
        run, result = formulation()
        medians[name] = median(run, request["patience"], min(medians.values(), default=float("inf")))
        found = result()
        if expected is None:
            expected = found.double()
        check(name, found, expected, 1e-2 if dtype == torch.float32 else 1e-8)
        del run, result, found
    best = min(medians, key=medians.get)
    return {"seconds": medians[best], "formulation": best, "formulations": medians}


def main():
    # MKL reports its errors on the standard output, which is for answers only.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    print(json.dumps({"torch": torch.__version__, "kernels": sorted(KERNELS)}), file=answers, flush=True)
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line))
        except (KeyError, TypeError, ValueError, RuntimeError, MemoryError) as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=answers, flush=True)


if __name__ == "__main__":
    with torch.inference_mode():
        main()
