"""
The lock: which upstream releases this fork may be built from, and the sha256 of every wheel of them.

`lock.json` is written by `python -m fork pin` and reviewed like code: a hash in it is the only thing that makes an
upstream file trusted.
"""

import io
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from zipfile import ZipFile

from fork.source import local_version

LOCK_FILE = Path(__file__).with_name("lock.json")


class ForkError(Exception):
    """A refusal: one line that says what is wrong and what to do."""


@dataclass(frozen=True)
class Release:
    """
    One locked upstream release.

    Args:
        version: upstream's version, for instance "1.100.0".
        local: what the fork adds to it, `fork.source.local_version()`.
        wheels: sha256 (hex) by wheel file name.
    """

    version: str
    local: str
    wheels: dict[str, str]

    @property
    def fork_version(self) -> str:
        """The fork's version, a PEP 440 local version of upstream's."""
        return f"{self.version}+{self.local}"

    def opened(self, wheel: Path) -> ZipFile:
        """
        Compares a wheel with the lock, and opens it.

        Returns:
            The archive, of the bytes that were compared: the file may change at any time.

        Raises:
            ForkError: the file is not one of this release's wheels, or its sha256 is not the lock's.
        """
        expected = self.wheels.get(wheel.name)
        if expected is None:
            raise ForkError(
                f"{wheel} is not named like a wheel of litellm {self.version} that fork/lock.json lists. "
                f"Name one of: {', '.join(self.wheels)}."
            )
        data = wheel.read_bytes()
        found = sha256(data).hexdigest()
        if found != expected:
            raise ForkError(
                f"{wheel} is not the locked file: its sha256 is {found}, fork/lock.json says {expected}. "
                "Delete it and build again; if the index serves this file, do not use it."
            )
        return ZipFile(io.BytesIO(data))


def release(version: str | None = None) -> Release:
    """
    Reads the lock.

    Args:
        version: an upstream version; by default `LITELLM_UPSTREAM`, else the lock's pin.

    Raises:
        ForkError: the lock does not list that version.
    """
    lock = json.loads(LOCK_FILE.read_text())
    version = version or os.environ.get("LITELLM_UPSTREAM") or lock["pin"]
    if version not in lock["releases"]:
        listed = ", ".join(lock["releases"])
        raise ForkError(
            f"litellm {version} is not in fork/lock.json, which lists {listed}. "
            f"Use one of these, or add it with `python -m fork pin {version}`."
        )
    return Release(version, local_version(lock["revision"]), lock["releases"][version])


def locked_versions() -> list[str]:
    """Returns the releases that the lock lists."""
    return list(json.loads(LOCK_FILE.read_text())["releases"])


# The tags under which upstream publishes: pip is asked for each, because only pip knows the configured index.
PLATFORMS = (
    "manylinux_2_28_x86_64",
    "manylinux_2_28_aarch64",
    "musllinux_1_2_x86_64",
    "musllinux_1_2_aarch64",
    "macosx_10_12_x86_64",
    "macosx_11_0_arm64",
    "win_amd64",
)


def locked_beside(version: str) -> dict[str, Any]:
    """
    Returns the lock with one release more, with the hashes the index gives. Nothing is written.

    Args:
        version: an upstream version.

    Raises:
        ForkError: the index has no wheel of it, or gives another hash than the lock already has.
    """
    lock = json.loads(LOCK_FILE.read_text())
    wheels = dict(wheel for platform in PLATFORMS for wheel in _asked(version, platform))
    if not wheels:
        raise ForkError(f"the package index has no wheel of litellm {version}; `pip index versions litellm` lists them")
    for name, digest in lock["releases"].get(version, {}).items():
        if wheels.get(name, digest) != digest:
            raise ForkError(
                f"the index now says sha256 {wheels[name]} for {name}, fork/lock.json {digest}: do not pin it"
            )
    releases = {**lock["releases"], version: {**lock["releases"].get(version, {}), **wheels}}
    return {**lock, "releases": dict(sorted(releases.items(), key=lambda entry: _numbers(entry[0])))}


def write(lock: dict[str, Any]) -> None:
    """Writes the lock, whole or not at all."""
    scratch = LOCK_FILE.with_suffix(".new")
    scratch.write_text(json.dumps(lock, indent=2) + "\n")
    os.replace(scratch, LOCK_FILE)


def newest() -> str:
    """Returns the newest release on the index, as pip gives it."""
    found = [name for platform in PLATFORMS for name, _ in _asked(None, platform)]
    if not found:
        raise ForkError("the package index has no wheel of litellm")
    return max((name.split("-")[1] for name in found), key=_numbers)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _asked(version: str | None, platform: str) -> list[tuple[str, str]]:
    wanted = f"litellm=={version}" if version else "litellm"
    options = ["--dry-run", "--ignore-installed", "--no-deps", "--quiet", "--disable-pip-version-check"]
    target = ["--only-binary=:all:", "--python-version=3.12", f"--platform={platform}", "--target=unused"]
    command = [sys.executable, "-m", "pip", "install", *options, *target, "--report=-", wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return []
    info = json.loads(done.stdout)["install"][0]["download_info"]
    return [(unquote(urlsplit(info["url"]).path).rsplit("/", 1)[1], info["archive_info"]["hashes"]["sha256"])]
