"""
`python -m benchmarks.scale`: how cost grows with the work: nothing may grow faster than it.

Prompts of 1 kB to 1 MB, answers of 10 to 10,000 chunks, Routers of 1 to 1,000 deployments, 1 to 1,000 streams at once,
1 to 8 local engines (a server without a model stands where vLLM would). `remodlai/` takes turns with upstream's own
release and the openai SDK where they have such a call. Medians of processor time, one table and one plot per curve, in
build/benchmarks/scale.json and scale-<curve>.png.
"""

import argparse
import json
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks import measure, scale_engines
from benchmarks.__main__ import DIRECTORY, upstream_release
from benchmarks.report import OURS, markdown


@dataclass(frozen=True)
class Curve:
    """
    Args:
        task: of `benchmarks.worker`.
        unit: what its size counts.
        sizes: what is measured.
        others: who is measured beside `remodlai/`.
        repeats: how often the smallest is done in a turn; larger ones in proportion less often.
    """

    task: str
    unit: str
    sizes: tuple[int, ...]
    others: tuple[str, ...]
    repeats: int = 1


CURVES = {
    "prompt": Curve("prompt", "bytes of the prompt", (10**3, 10**4, 10**5, 10**6), ("openai", measure.UPSTREAM), 10),
    "answer": Curve("sync chunk", "chunks of the answer", (10, 100, 1_000, 10_000), ("openai", measure.UPSTREAM), 10),
    "deployments": Curve("deployments", "deployments of the Router", (1, 10, 100, 1_000), (measure.UPSTREAM,), 10),
    "streams": Curve("streams", "streams of 50 chunks at once", (1, 10, 100, 1_000), ("openai",)),
}
Costs = dict[str, dict[int, list[float]]]  # seconds of processor time by contender and size


def measured(curve: Curve, who: dict[str, tuple[measure.Worker, str]], rounds: int) -> Costs:
    """Returns the seconds of processor time of all the work of a size."""
    names = (OURS, *curve.others)
    costs: Costs = {name: {size: [] for size in curve.sizes} for name in names}
    for turn in range(-1, rounds):  # the first is for what is made once
        for size in curve.sizes:
            repeat = max(1, curve.repeats * curve.sizes[0] // size) if turn >= 0 else 1
            for name in measure.order(names, turn):
                worker, contender = who[name]
                cpu = worker.run(contender, curve.task, repeat, size=size)["cpu"]
                if turn >= 0:
                    costs[name][size].append(cpu / repeat)
    return costs


def told(name: str, unit: str, costs: Costs) -> str:
    """Returns a Markdown table of a curve: milliseconds by size and contender."""
    middle = {who: {size: statistics.median(values) for size, values in each.items()} for who, each in costs.items()}
    sizes = list(next(iter(middle.values())))
    rows = [(f"{name}: {unit}", *(f"{size:,}" for size in sizes), "largest ÷ smallest: work, cost")]
    for who, each in middle.items():
        grew = f"{sizes[-1] / sizes[0]:,.0f}, {each[sizes[-1]] / each[sizes[0]]:,.1f}"
        rows.append((who, *(f"{1e3 * each[size]:,.2f} ms" for size in sizes), grew))
    return markdown(rows)


def plot(name: str, unit: str, costs: Costs, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(5, 3.6))
    for who, each in costs.items():
        style = {"color": "tab:red"} if who == OURS else {}
        axis.plot(list(each), [1e3 * statistics.median(values) for values in each.values()], "o-", label=who, **style)
    axis.set(xscale="log", yscale="log", xlabel=unit, ylabel="CPU, ms", title=name)
    axis.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contender at each size")
    parser.add_argument("curves", nargs="*", default=[*CURVES, scale_engines.NAME])
    asked = parser.parse_args()
    results: dict[str, Costs] = {}
    with measure.server() as base, measure.workers(base, upstream_release()) as who:
        for name in asked.curves:
            if name in CURVES:
                results[name] = measured(CURVES[name], who, asked.rounds)
                print(f"measured: {name}", file=sys.stderr)
    if scale_engines.NAME in asked.curves:
        results[scale_engines.NAME] = scale_engines.measured(asked.rounds)
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    (DIRECTORY / "scale.json").write_text(json.dumps(results, indent=1))
    for name, costs in results.items():
        unit = CURVES[name].unit if name in CURVES else scale_engines.UNIT
        print(told(name, unit, costs), end="\n\n")
        plot(name, unit, costs, DIRECTORY / f"scale-{name}.png")


if __name__ == "__main__":
    main()
