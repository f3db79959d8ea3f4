"""
What the proxy of a release asks for, and the nearest to it that the index has.

Releases pin packages of LiteLLM's own that come to the index late, or never.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from email.parser import BytesParser
from zipfile import ZipFile

from fork.upstream import pip

_OF_EXTRA = re.compile(r"""\s*(?:and\s+)?extra == ['"]proxy['"]$""")
_PIN = re.compile(r"([\w.-]+)==[\w.]+")


def refusal(version: str) -> str | None:
    """
    Asks pip whether a release's `litellm[proxy]` can be had from the index.

    Returns:
        None, or pip's reason why not.
    """
    done = _dry_run("--quiet", f"litellm[proxy]=={version}")
    if done.returncode == 0:
        return None
    said = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
    missing = [line for line in said if line.startswith("No matching distribution")]
    return [*missing, *said, "pip gave no reason"][0]


def asked(archive: ZipFile) -> list[str]:
    """Reads the requirements of the extra `proxy` from a wheel, as pip takes them."""
    metadata = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    lines = BytesParser().parsebytes(archive.read(metadata)).get_all("Requires-Dist", [])
    return [_OF_EXTRA.sub("", line).rstrip(" ;") for line in lines if _OF_EXTRA.search(line)]


def nearest(requirements: Iterable[str]) -> tuple[list[str], list[str]]:
    """
    Puts the newest release of a package where the index does not have the pinned one, and nothing where it has none.

    Returns:
        Requirements for pip, and in words what differs from those asked for.
    """
    kept, differs = [], []
    for requirement in requirements:
        pin = _PIN.fullmatch(requirement)
        if pin is None or _on_index(requirement):
            kept.append(requirement)
        elif found := _on_index(pin[1]):
            kept.append(f"{pin[1]}=={found}")
            differs.append(f"with {pin[1]} {found}")
        else:
            differs.append(f"without {pin[1]}")
    return kept, differs


def _on_index(requirement: str) -> str | None:
    done = _dry_run("--quiet", "--no-deps", "--report=-", requirement)
    return None if done.returncode else str(json.loads(done.stdout)["install"][0]["metadata"]["version"])


def _dry_run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*(pip() or [sys.executable, "-m", "pip"]), "install", "--dry-run", "--ignore-installed"]
    return subprocess.run(
        [*command, "--disable-pip-version-check", *arguments], capture_output=True, text=True, check=False
    )
