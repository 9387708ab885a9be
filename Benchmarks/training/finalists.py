"""What the pages of races say of the settings in their finals."""

from curves import median


def name(finalist):
    return f"{finalist['contender']}: {finalist['label']}"


def milliseconds(runs):
    return median(run["seconds_per_step"] and 1e3 * run["seconds_per_step"] for run in runs)


def failures(finalists):
    """What went wrong in the final, as a list, or nothing."""
    lines = []
    for finalist in finalists:
        for run in finalist["runs"]:
            if run.get("error") or not run["points"] or run["points"][-1]["loss"] is None:
                lines.append(f"- {name(finalist)}: {run.get('error') or 'the loss is not finite'}")
    return "\n\nFailed in the final:\n\n" + "\n".join(lines) if lines else ""
