"""Figures as text, and tables in Markdown."""

from curves import median


def table(header, rows):
    """The first column to the left, the others to the right.

    >>> print(table(["a", "b"], [["x", 1]]))
    | a | b |
    | --- | ---: |
    | x | 1 |
    """
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def number(value, digits=2, unit=""):
    return "–" if value is None else f"{value:,.{digits}f}{unit}"


def spread(values, digits=2):
    """The median, with the least and the greatest.

    >>> spread([3, 1, 2]), spread([1, 1]), spread([1, None, 3]), spread([None])
    ('2.00 (1.00–3.00)', '1.00', '3.00 (1.00–never)', 'never')
    """
    middle, known = median(values), [value for value in values if value is not None]
    if middle is None:
        return f"never in {len(values) - len(known)} of {len(values)}" if known else "never"
    low, high = f"{min(known):.{digits}f}", "never" if len(known) < len(values) else f"{max(known):.{digits}f}"
    return f"{middle:.{digits}f}" + (f" ({low}–{high})" if low != high else "")


def with_unit(text, unit):
    """
    >>> with_unit("2.00 (1.00–3.00)", "s"), with_unit("never in 3 of 5", "s")
    ('2.00 (1.00–3.00) s', 'never in 3 of 5')
    """
    return text if text.startswith("never") else f"{text} {unit}"


def times(theirs, ours):
    """How many times as long theirs takes.

    >>> times(3, 2), times(None, 2), times(3, None)
    ('1.50', '–', '–')
    """
    return "–" if theirs is None or not ours else f"{theirs / ours:.2f}"


def errors(found):
    """What failed, as a list, or nothing."""
    lines = [f"- {name}: {run['error']}" for name, runs in found.items() for run in runs if run.get("error")]
    return "\nFailed:\n\n" + "\n".join(lines) + "\n" if lines else ""
