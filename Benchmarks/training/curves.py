"""What is read off learning curves and timings: crossings, medians, exponents."""

import math
import statistics

# The loss of a classifier of ten classes that knows nothing, which is where every curve starts.
START = math.log(10)


def crossing(points, target, start=START):
    """The seconds at which a curve first is at the target, or None where it never is.

    The points are (seconds, loss), the first of them some time after the start, where the seconds are 0. Between two
    points the logarithm of the loss is taken to be linear in time.

    >>> crossing([(1, 0.5), (3, 0.125)], 0.25)
    2.0
    >>> crossing([(1, 0.5), (3, 0.125)], 0.125)
    3.0
    >>> crossing([(2, 0.25)], 1, start=4)
    1.0
    >>> crossing([(1, 0.2), (2, 0.4), (3, 0.1)], 0.2)
    1.0
    >>> crossing([(1, 0.5)], 0.4), crossing([], 0.4), crossing([(1, None)], 0.4)
    (None, None, None)
    """
    before, loss_before = 0.0, start
    for seconds, loss in points:
        if loss is None or not math.isfinite(loss):
            return None
        if loss <= target:
            share = math.log(loss_before / target) / math.log(loss_before / loss)
            return before + (seconds - before) * share
        before, loss_before = seconds, loss
    return None


def first_end(points, target):
    """The seconds of the first point at the target or below it, or None: nothing is interpolated.

    >>> first_end([(1, 0.5), (3, 0.125)], 0.25), first_end([(1, 0.5)], 0.25)
    (3, None)
    """
    return next((seconds for seconds, loss in points if loss is not None and loss <= target), None)


def median(values):
    """The median, None counting as later than everything; None where that is the median.

    >>> median([3, 1, 2]), median([1, None, 2]), median([None, None, 2]), median([1, None]), median([])
    (2, 2, None, None, None)
    """
    values = [math.inf if value is None else value for value in values]
    middle = statistics.median(values) if values else math.inf
    return middle if math.isfinite(middle) else None


def exponent(sizes, values):
    """The p of the power law c·sizeᵖ that is nearest to the values, by least squares of the logarithms.

    >>> round(exponent([1, 10, 100], [3, 300, 30000]), 12)
    2.0
    >>> round(exponent([2, 4, 8], [5, 5, 5]), 12)
    0.0
    >>> exponent([2], [5]) is None
    True
    """
    if len(set(sizes)) < 2:
        return None
    x, y = [math.log(size) for size in sizes], [math.log(value) for value in values]
    x_mean, y_mean = statistics.fmean(x), statistics.fmean(y)
    return sum((a - x_mean) * (b - y_mean) for a, b in zip(x, y)) / sum((a - x_mean) ** 2 for a in x)
