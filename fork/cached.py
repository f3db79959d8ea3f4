"""
The wired files of a release, kept for the next build of this checkout: wiring takes ten seconds, reading them no time.

They lie in the checkout, under build/, and not in the cache of downloads: nothing in this repository could tell that
they are right, and whoever can write them there can write fork/ as well. A file that is cut, changed, or of other rules
is not used.
"""

import json
import os
import tempfile
from hashlib import sha256
from pathlib import Path

from fork.lock import Release
from fork.source import ROOT
from fork.wiring import wire

# What wiring does not read, of all that is in fork/. A file that is not named here is taken for a part of the rules.
NO_RULES = frozenset(
    {
        "__main__.py",
        "backend.py",
        "cached.py",
        "check.py",
        "lock.json",
        "lock.py",
        "patch.py",
        "source.py",
        "upstream.py",
    }
    | {"series/__init__.py", "series/earlier.py", "series/patches.py", "series/without_engine.py", "wheel.py"}
)


def _rules() -> str:
    """Says what each file of the rules holds."""
    state, folder = sha256(), Path(__file__).parent
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc" and path.relative_to(folder).as_posix() not in NO_RULES:
            state.update(f"{path.relative_to(folder)} {sha256(path.read_bytes()).hexdigest()}\n".encode())
    return state.hexdigest()


# Python reads a module once: a process wires by the rules that it began with.
_RULES_AT_START = _rules()


def wired_files(release: Release, wheel: Path) -> dict[str, str]:
    """
    Returns the text of each file of a release that the wiring changes, by path.

    Args:
        release: the release.
        wheel: a wheel of it.

    Raises:
        ForkError: the wheel is not a locked one, or the wiring does not explain all of it.
    """
    if (kept := kept_files(release, wheel)) is not None:
        return kept
    with release.opened(wheel) as archive:
        wired = wire(archive)
    wired.check()
    _keep(release, wheel, json.dumps(wired.files).encode())
    return wired.files


def kept_files(release: Release, wheel: Path) -> dict[str, str] | None:
    """As `wired_files`, or None where they would have to be wired."""
    try:
        digest, _, body = _file(release).read_bytes().partition(b"\n")
    except OSError:
        return None
    return json.loads(body) if digest == _digest(release, wheel, body) else None


def _keep(release: Release, wheel: Path, body: bytes) -> None:
    if _rules() != _RULES_AT_START:
        return  # somebody changed them meanwhile, and nobody knows which of them these files are of
    file = _file(release)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as scratch:
            scratch.write(_digest(release, wheel, body) + b"\n" + body)
        os.replace(scratch.name, file)
    except OSError:
        return  # a checkout that cannot be written to is wired at each build


def _file(release: Release) -> Path:
    return ROOT / "build/wired" / f"{release.version}.json"


def _digest(release: Release, wheel: Path, body: bytes) -> bytes:
    """Says that `body` is what these rules made of this wheel, and whole."""
    parts = release.wheels.get(wheel.name, "").encode(), _RULES_AT_START.encode(), body
    return sha256(b"\n".join(parts)).hexdigest().encode()
