"""What `import litellm` costs in this fork, against upstream's own release; the two take turns."""

import resource
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import ROOT, environment

CODE = "import sys; {path}import litellm; print([name for name in sys.modules if 'remodlai' in name])"


def cpu_of_import(directory: Path | None) -> tuple[float, str]:
    """Returns CPU seconds of a new interpreter that imports litellm, and which modules of ours it loaded."""
    path = f"sys.path.insert(0, {str(directory)!r}); " if directory else ""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(path=path)],
        cwd=ROOT / "benchmarks",
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime), done.stdout.strip()


def run(upstream: Path, rounds: int) -> dict[str, list[float]]:
    """
    Args:
        upstream: directory with upstream's release.
        rounds: imports of each.

    Returns:
        CPU seconds of each import, by package.

    Raises:
        SystemExit: importing litellm loads a module of this provider.
    """
    values: dict[str, list[float]] = {"upstream": [], "fork": []}
    for directory in (None, upstream):  # bytecode and disk caches
        cpu_of_import(directory)
    for _ in range(rounds):
        for name, directory in (("upstream", upstream), ("fork", None)):
            seconds, ours = cpu_of_import(directory)
            if ours != "[]":
                raise SystemExit(f"import litellm loads {ours}")
            values[name].append(seconds)
    return values
