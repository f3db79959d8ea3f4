"""Build time of the fork against what pip needs to get and unpack the upstream wheel: `python -m benchmarks.build`.

Goals: a first build, download and wiring included, takes at most 10 seconds more than pip's download, and the next
one, from the fork's cache, at most 2 seconds. The index is measured as it is configured, without pip's cache; the
fork's cache is a new one.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from zipfile import ZipFile

from fork.lock import release
from fork.upstream import pip

ALLOWED, CACHED = 10.0, 2.0
"""Seconds: a first build beside the download, and one from the cache."""


def _seconds(*command: str, **env: str) -> float:
    start = time.perf_counter()
    subprocess.run(command, env={**os.environ, **env}, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def _pip_seconds(scratch: Path) -> float:
    command = [*(pip() or sys.exit("pip is needed")), "download", "--quiet", "--no-deps", "--no-cache-dir"]
    downloaded = _seconds(*command, "--dest", str(scratch), f"litellm=={release().version}")
    start = time.perf_counter()
    with ZipFile(next(scratch.glob("*.whl"))) as wheel:
        wheel.extractall(scratch / "unpacked")
    return downloaded + time.perf_counter() - start


def verdict(seconds: float, goal: float) -> str:
    return f"{seconds:.1f} s (≤ {goal:.1f} {'met' if seconds <= goal else 'NOT met'})"


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        build = (sys.executable, "-m", "fork", "build", str(scratch / "dist"))
        cache = {"XDG_CACHE_HOME": str(scratch / "cache"), "PIP_NO_CACHE_DIR": "1", "LITELLM_UPSTREAM_WHEEL": ""}
        reference = _pip_seconds(scratch)
        first, again = _seconds(*build, **cache), _seconds(*build, **cache)
    print(f"litellm {release().version}: pip downloads and unpacks it in {reference:.1f} s")
    print(f"first build {verdict(first, reference + ALLOWED)}, next build {verdict(again, CACHED)}")


if __name__ == "__main__":
    main()
