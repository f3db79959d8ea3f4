"""Says what was measured: ratios against the goals as a table, everything as JSON, and a plot."""

import json
import platform
from pathlib import Path
from typing import Any

from benchmarks.measure import RATES, UPSTREAM, medians

OURS = "remodlai"
# Of a task, at most (or, for rates, at least) this ratio against that contender.
GOALS = {
    ("sync call", "openai"): 0.85,
    ("sync call", UPSTREAM): 0.35,
    ("async call", "openai"): 1.0,
    ("sync chunk", "openai"): 0.35,
    ("sync chunk", UPSTREAM): 0.05,
    ("async chunk", "openai"): 0.28,
    ("async chunk", UPSTREAM): 0.12,
    ("responses event", UPSTREAM): 0.35,
    ("sync responses event", UPSTREAM): 0.35,
    ("messages event", UPSTREAM): 0.35,
    ("32 async calls", "openai"): 2.0,
    ("32 async calls", UPSTREAM): 2.2,
    ("memory", "openai"): 1.2,
    ("import", "upstream"): 1.00,
}
UNITS = {"memory": ("MB", 1e-6), "import": ("s", 1.0), **dict.fromkeys(RATES, ("/s", 1.0))}
MICROSECONDS = ("µs", 1e6)


def shown(task: str, number: float) -> str:
    unit, scale = UNITS.get(task, MICROSECONDS)
    return f"{number * scale:,.{1 if number * scale < 100 else 0}f} {unit}"


def ratios(middle: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """Ours against each other contender; below 1 is cheaper, but for rates, where above 1 is faster."""
    return {
        task: {name: values[ours] / other for name, other in values.items() if name != ours}
        for task, values in middle.items()
        for ours in ("fork" if task == "import" else OURS,)
        if ours in values
    }


def verdict(task: str, name: str, ratio: float) -> str:
    goal = GOALS.get((task, name))
    if goal is None:
        return ""
    met = ratio >= goal if task in RATES else ratio <= goal
    return f" ({'≥' if task in RATES else '≤'} {goal:g} {'met' if met else 'NOT met'})"


def markdown(rows: list[tuple[str, ...]]) -> str:
    """Returns a Markdown table: the first row names the columns, which are as wide as they have to be."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def table(middle: dict[str, dict[str, float]]) -> str:
    """Returns a Markdown table: a row per task, the ratio against each contender, with the goal where there is one."""
    against = ratios(middle)
    columns = list(dict.fromkeys(name for values in against.values() for name in values))
    rows: list[tuple[str, ...]] = [("", OURS, *(f"÷ {name}" for name in columns))]
    for task, values in against.items():
        cells = [f"{values[name]:.2f}{verdict(task, name, values[name])}" if name in values else "" for name in columns]
        rows.append((task, shown(task, middle[task]["fork" if task == "import" else OURS]), *cells))
    return markdown(rows)


def plot(middle: dict[str, dict[str, float]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, (len(middle) + 1) // 2, figsize=(3.4 * ((len(middle) + 1) // 2), 6.4))
    for axis, (task, values) in zip(axes.flat, middle.items(), strict=False):
        unit, scale = UNITS.get(task, MICROSECONDS)
        colours = ["tab:red" if name in (OURS, "fork") else "tab:gray" for name in values]
        axis.bar(range(len(values)), [value * scale for value in values.values()], color=colours)
        axis.set_xticks(range(len(values)), list(values), rotation=60, ha="right", fontsize=7)
        axis.set_title(f"{task} [{unit}{', CPU' if unit == 'µs' else ''}]", fontsize=9)
    for axis in list(axes.flat)[len(middle) :]:
        axis.axis("off")
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def write(results: dict[str, dict[str, list[float]]], versions: dict[str, str], directory: Path) -> str:
    """
    Args:
        results: every measured value by task and contender.
        versions: of the packages compared.
        directory: where results.json, table.md and plot.png go.

    Returns:
        The table.
    """
    middle = medians(results)
    directory.mkdir(parents=True, exist_ok=True)
    everything: dict[str, Any] = {
        "python": platform.python_version(),
        "machine": platform.processor() or platform.machine(),
        "versions": versions,
        "medians": middle,
        "ratios": ratios(middle),
        "values": results,
    }
    (directory / "results.json").write_text(json.dumps(everything, indent=1))
    text = table(middle)
    (directory / "table.md").write_text(text + "\n")
    plot(middle, directory / "plot.png")
    return text
