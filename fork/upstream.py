"""
Finds the upstream wheel: a file that is named, the cache, or the index. Nothing leaves here unchecked against the lock.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from fork.lock import ForkError, Release


def cache_dir() -> Path:
    """Where downloads and wired files are kept: `$XDG_CACHE_HOME` or `~/.cache`, in a folder of ours."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "litellm-remodlai"


def cached_wheel(release: Release) -> Path | None:
    """Returns this platform's wheel where no download is needed, unchecked: the named file, or the cached one."""
    if named := os.environ.get("LITELLM_UPSTREAM_WHEEL"):
        return Path(named)
    folder = cache_dir() / release.version
    from_here = folder / "platform-wheel.txt"
    wheel = folder / from_here.read_text().strip() if from_here.is_file() else None
    return wheel if wheel and wheel.is_file() else None


def upstream_wheel(release: Release) -> Path:
    """
    Returns this platform's wheel of a release, downloading it if it is not there.

    Args:
        release: what the lock says of the release.

    Returns:
        Path of a wheel whose sha256 is the lock's.

    Raises:
        ForkError: there is no such file, it is not the locked one, or it cannot be downloaded.
    """
    wheel = cached_wheel(release)
    if wheel is None:
        wheel = _download(release)
    if not wheel.is_file():
        raise ForkError(f"LITELLM_UPSTREAM_WHEEL names {wheel}, which does not exist. Name a wheel or unset it.")
    release.check(wheel)
    return wheel


def pip() -> list[str] | None:
    """Returns the command that runs pip, or None. Isolated builds hide the pip that started them; `-I` finds it."""
    for options in ([], ["-I"]):
        command = [sys.executable, *options, "-m", "pip"]
        if subprocess.run([*command, "--version"], capture_output=True, check=False).returncode == 0:
            return command
    return None


def _download(release: Release) -> Path:
    pip_command = pip()
    if pip_command is None:
        raise ForkError("pip is needed to download litellm: install it, or name a wheel with LITELLM_UPSTREAM_WHEEL.")
    folder = cache_dir() / release.version
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        hashes = " ".join(f"--hash=sha256:{digest}" for digest in release.wheels.values())
        requirements = Path(scratch, "requirements.txt")
        requirements.write_text(f"litellm=={release.version} {hashes}\n")
        options = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--disable-pip-version-check", "--quiet"]
        command = [*pip_command, "download", *options, "--dest", scratch, "-r", str(requirements)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(scratch).glob("*.whl"))
        if served := re.search(r"\bGot\s+([0-9a-f]{64})", done.stderr):
            raise ForkError(
                f"the package index serves a litellm {release.version} that is not the locked one: its sha256 is "
                f"{served[1]}, fork/lock.json says {' or '.join(release.wheels.values())}. Do not use that index."
            )
        if done.returncode or len(wheels) != 1:
            said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            raise ForkError(
                f"litellm {release.version} is not in the cache and could not be downloaded "
                f"({said[-1] if said else 'pip gave no reason'}). Connect to a package index, or name a downloaded "
                "wheel with LITELLM_UPSTREAM_WHEEL."
            )
        release.check(wheels[0])
        wheel = folder / wheels[0].name
        os.replace(wheels[0], wheel)
        # pip chose the wheel that fits this interpreter and platform; the next build need not ask it again.
        Path(scratch, "chosen").write_text(wheel.name)
        os.replace(Path(scratch, "chosen"), folder / "platform-wheel.txt")
    return wheel
