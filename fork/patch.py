"""
The change as upstream would take it: written into a checkout, or as a diff that `git apply` takes.
"""

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from fork.cached import wired_files
from fork.lock import ForkError, release
from fork.source import ROOT
from fork.upstream import upstream_wheel
from fork.wheel import overlay
from fork.wiring import OWN_DIRECTORIES, wire

# What goes upstream besides the overlay, at its upstream path.
ACCOMPANYING = ("tests/test_litellm", "docs/my-website/docs/providers")


def accompanying() -> dict[str, bytes]:
    files = (path for folder in ACCOMPANYING for path in sorted((ROOT / folder).rglob("*")) if path.is_file())
    return {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in files if path.suffix != ".pyc"}


def apply(directory: Path) -> list[str]:
    """
    Makes the change in an upstream source tree: wiring, provider, tests and documentation.

    Args:
        directory: the tree's root, which holds upstream's `litellm` package.

    Returns:
        Paths of the files written, relative to `directory`.

    Raises:
        ForkError: `directory` is no upstream tree, the change is already in it, or a mention is unexplained.
    """
    if not (directory / OWN_DIRECTORIES[0]).is_dir():
        raise ForkError(f"{directory} holds no LiteLLM source: name the folder that contains `litellm/`")
    if (directory / "litellm/llms/remodlai").exists():
        raise ForkError(f"{directory} already has the change; start from a clean upstream tree")
    wired = wire(directory)
    wired.check()
    return _write(wired.files, directory)


def _write(wired: Mapping[str, str], directory: Path) -> list[str]:
    files = {path: text.encode() for path, text in wired.items()} | overlay() | accompanying()
    for path, data in files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return list(files)


def write(file: Path) -> Path:
    """
    Writes the change to the locked release as one diff.

    Args:
        file: where the diff goes.

    Returns:
        `file`.

    Raises:
        ForkError: a mention is unexplained, or git is not installed or fails.
    """
    locked = release()
    wheel = upstream_wheel(locked)
    wired = wired_files(locked, wheel)
    with tempfile.TemporaryDirectory() as scratch:
        # Only what changes needs to be in the two trees that are compared.
        with locked.opened(wheel) as archive:
            for tree in ("a", "b"):
                archive.extractall(Path(scratch, tree), wired)
        _write(wired, Path(scratch, "b"))
        command = ["git", "diff", "--no-index", "--no-prefix", "--no-color", "a", "b"]
        try:
            done = subprocess.run(command, cwd=scratch, capture_output=True, check=False)
        except FileNotFoundError as error:
            raise ForkError("`python -m fork patch` needs git; install it") from error
    if done.returncode != 1:  # 0 is no difference, more is git's own failure
        raise ForkError(f"`git diff` failed: {done.stderr.decode().strip() or 'it found no difference'}")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(done.stdout)
    return file
