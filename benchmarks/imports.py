"""What `import litellm` costs in this fork, against upstream's own release; the two take turns."""

import resource
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import ROOT, environment

CODE = "import sys; {path}import litellm"


def cpu_of_import(directory: Path | None) -> float:
    """Returns CPU seconds of a new interpreter that imports litellm."""
    path = f"sys.path.insert(0, {str(directory)!r}); " if directory else ""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", CODE.format(path=path)],
        cwd=ROOT / "benchmarks",
        env=environment(),
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def run(upstream: Path, rounds: int) -> dict[str, list[float]]:
    """
    Args:
        upstream: directory with upstream's release.
        rounds: imports of each.

    Returns:
        CPU seconds of each import, by package.
    """
    values: dict[str, list[float]] = {"upstream": [], "fork": []}
    for directory in (None, upstream):  # bytecode and disk caches
        cpu_of_import(directory)
    for _ in range(rounds):
        for name, directory in (("upstream", upstream), ("fork", None)):
            values[name].append(cpu_of_import(directory))
    return values
