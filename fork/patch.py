"""
The change as upstream would take it: written into a checkout, or as a diff that `git apply` takes.
"""

import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from fork.cached import wired_files
from fork.edits import all_edits
from fork.lock import ForkError, release
from fork.source import ROOT
from fork.upstream import upstream_wheel
from fork.wheel import overlay
from fork.wiring import OWN_DIRECTORIES, wire

# What goes upstream besides the overlay, at its upstream path.
TESTS = "tests/test_litellm"
# Tests that need no provider of ours, and where upstream has the helpers of ours that they use.
SELF_HOSTED = f"{TESTS}/self_hosted"
HELPERS = ("logger", "plain_calls", "recording", "vllm_answers")
_HELPER = re.compile(rf"^from support\.({'|'.join(HELPERS)}) import", re.MULTILINE)


def is_for(version: str, path: Path) -> bool:
    """Whether a test is for a release: not where it is named after an edit that is for others."""
    own = [edit for edit in all_edits() if path.name == f"test_{edit.name.replace('-', '_')}.py"]
    return not own or bool(own[0].places(version))


def accompanying(version: str) -> dict[str, bytes]:
    """Returns the tests that go upstream with the change of a release, by their path there."""
    files = (path for path in sorted((ROOT / TESTS).rglob("*")) if path.is_file() and path.suffix != ".pyc")
    found = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in files if is_for(version, path)}
    found |= {f"{SELF_HOSTED}/{name}.py": (ROOT / f"tests/support/{name}.py").read_bytes() for name in HELPERS}
    return {path: _as_there(path, data) for path, data in sorted(found.items())}


def _as_there(path: str, data: bytes) -> bytes:
    if not path.startswith(SELF_HOSTED):
        return data
    dots = "." * (path.count("/") - SELF_HOSTED.count("/"))
    return _HELPER.sub(rf"from {dots}\1 import", data.decode()).encode()


def apply(directory: Path) -> list[str]:
    """
    Makes the change in an upstream source tree: wiring, providers and tests.

    Args:
        directory: the tree's root, which holds upstream's `litellm` package.

    Returns:
        Paths of the files written, relative to `directory`.

    Raises:
        ForkError: `directory` is no upstream tree, the change is already in it, or a mention is unexplained.
    """
    require_clean(directory)
    wired = wire(directory)
    wired.check()
    return _write(wired.files, wired.version, directory)


def require_clean(directory: Path) -> None:
    """Raises ForkError where a folder is no source tree of upstream's, or has the change."""
    if not (directory / OWN_DIRECTORIES[0]).is_dir():
        raise ForkError(f"{directory} holds no LiteLLM source: name the folder that contains `litellm/`")
    if (directory / "litellm/llms/remodlai").exists():
        raise ForkError(f"{directory} already has the change; start from a clean upstream tree")


def _write(wired: Mapping[str, str], version: str, directory: Path) -> list[str]:
    files = {path: text.encode() for path, text in wired.items()} | overlay() | accompanying(version)
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
        _write(wired, locked.version, Path(scratch, "b"))
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
