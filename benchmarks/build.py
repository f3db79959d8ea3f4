"""Build time of the fork against what pip needs to get and unpack the upstream wheel: `python -m benchmarks.build`.

Asserted bound (seconds): a first build, download and wiring included, takes no more than twice pip's time plus 30. The
index is measured as it is configured, without pip's cache; the fork's cache is a new one. Exits 1 beyond the bound.
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


def main() -> int:
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        build = (sys.executable, "-m", "fork", "build", str(scratch / "dist"))
        cache = {"XDG_CACHE_HOME": str(scratch / "cache"), "PIP_NO_CACHE_DIR": "1", "LITELLM_UPSTREAM_WHEEL": ""}
        reference = _pip_seconds(scratch)
        first, again = _seconds(*build, **cache), _seconds(*build, **cache)
    bound = 2 * reference + 30
    print(f"litellm {release().version}: pip downloads and unpacks it in {reference:.1f} s")
    print(f"first build {first:.1f} s (bound {bound:.1f} s), next build {again:.1f} s")
    return int(first > bound)


if __name__ == "__main__":
    sys.exit(main())
