"""`python -m benchmarks`: measures and prints the table of ratios. What is measured and how: benchmarks/README.md."""

import argparse
import compileall
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

from benchmarks import imports, measure, report

DIRECTORY = measure.ROOT / "build" / "benchmarks"


def upstream_release() -> Path:
    """Unpacks the locked upstream wheel, so that its own hosted_vllm can be measured; returns the directory."""
    from fork.lock import release as locked
    from fork.upstream import upstream_wheel

    release = locked()
    directory = DIRECTORY / f"upstream-{release.version}"
    if not directory.is_dir():
        with zipfile.ZipFile(upstream_wheel(release)) as wheel:
            wheel.extractall(directory)
        # As pip does with what it installs; an import that compiles costs twice as much.
        compileall.compile_dir(directory, quiet=2)
    return directory


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=31, help="turns of each contender at each task")
    parser.add_argument("--tasks", nargs="*", default=list(measure.REPEAT), help="only these tasks")
    parser.add_argument("--no-upstream", action="store_true", help="leave upstream's own release out")
    parser.add_argument("--output", type=Path, default=DIRECTORY)
    asked = parser.parse_args()
    upstream = None if asked.no_upstream else upstream_release()
    with measure.server() as base:
        results = measure.run(base, upstream, asked.rounds, asked.tasks)
    if upstream:
        results["import"] = imports.run(upstream, max(asked.rounds // 3, 3))
    versions = {name: version(name) for name in ("litellm", "openai", "any-llm-sdk", "httpx", "pydantic")}
    print(report.write(results, versions, asked.output))
    print(f"written to {asked.output}", file=sys.stderr)


if __name__ == "__main__":
    main()
