"""
What a release of LiteLLM needs before the fork can stand on it, all of it at once and before anything is written.

Everything happens in a scratch copy of this checkout: its lock gets the release, its wheel is built, and an environment
of its own runs the tests.
"""

import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

from fork import proxy_packages
from fork.lock import LOCK_FILE, ForkError, Release, locked_beside, release
from fork.names import MENTION
from fork.source import ROOT
from fork.upstream import cache_dir, indexed_wheel
from fork.wiring import OWN_DIRECTORIES, Wired, wire

# What the scratch copy leaves behind: environments, results, and git's store.
_PRODUCTS = (".git", ".venv", "build", "dist", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis")
# Of the proxy's tests, those that need one proxy and neither vLLM nor another program.
_ONE_PROXY = ("clients", "cost_and_logs", "disconnect", "own_endpoints", "passthrough")
# Unit tests; the comparisons with hosted_vllm and with the release as published; what our servers do beyond vLLM; every
# kind of call at its edges; and the proxy.
TESTS = {
    "unit": ["tests/test_litellm/llms"],
    "parity": ["tests/parity"],
    "superset": ["tests/superset"],
    "edges": ["tests/edges"],
    "one proxy": ["tests/test_litellm/self_hosted/proxy", *(f"tests/proxy/test_{name}.py" for name in _ONE_PROXY)],
}
AUDIT, PROXY = "audit", "[proxy]"
COLUMNS = (AUDIT, PROXY, *TESTS)


class Found(NamedTuple):
    """
    One thing that a check found.

    Args:
        line: what is printed.
        column: where it stands in the table of releases, one of `COLUMNS`; "" for nowhere.
        cell: what stands there.
    """

    line: str
    column: str = ""
    cell: str = ""


@dataclass(frozen=True)
class News:
    """
    What a release says about vLLM that the pinned one does not.

    Args:
        mentions: new lines, `path: text`.
        files: changed files of upstream's own vLLM providers, with the number of lines added and removed.
    """

    mentions: list[str]
    files: list[str]


def check(version: str, tests: bool = True) -> Iterator[Found]:
    """
    Tries a release.

    Args:
        version: an upstream version.
        tests: whether its tests are run as well, which takes minutes.

    Yields:
        What was found, as it is found.

    Raises:
        ForkError: the index does not have it; sites need a decision; it cannot be built; or tests fail.
    """
    lock = locked_beside(version)
    locked = Release(version, release().local, lock["releases"][version])
    yield Found(f"litellm {version}: {len(locked.wheels)} wheels")
    wheel = indexed_wheel(locked)
    with locked.opened(wheel) as archive:
        wired = wire(archive)
        wanted = proxy_packages.asked(archive)
        yield from map(Found, _shown(news(archive)))
    yield from (Found(f"left out: {edit}") for edit in wired.left_out)
    if needed := decisions(wired):
        yield Found(f"{len(needed)} sites need a decision", AUDIT, f"{len(needed)} sites")
        raise ForkError(f"litellm {version}: these {len(needed)} sites need a decision:\n" + "\n".join(needed))
    yield Found("every mention is explained, every edit has its place", AUDIT, "clean")
    said = "resolves"
    if refusal := proxy_packages.refusal(version):
        wanted, differs = proxy_packages.nearest(wanted)
        said = f"does not resolve: {refusal}; tried {', '.join(differs)}"
    yield Found(f"[proxy] {said}", PROXY, said)
    with tempfile.TemporaryDirectory(prefix="litellm-remodlai-check-") as scratch:
        copy = Path(scratch, "checkout")
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*_PRODUCTS))
        (copy / LOCK_FILE.relative_to(ROOT)).write_text(json.dumps({**lock, "pin": version}, indent=2) + "\n")
        yield Found(f"built {_built(copy).name}")
        if tests:
            yield from _tested(copy, _built(copy), wanted)
    yield Found(f"release {version}: fine")


def table(versions: Iterable[str], tests: bool = True) -> Iterator[str]:
    """
    Checks several releases, one after another.

    Args:
        versions: upstream versions.
        tests: whether their tests are run as well.

    Yields:
        A table in Markdown: a row for each release, when it has been checked.

    Raises:
        ForkError: behind the last row: what is wrong with which release.
    """
    yield from (f"| {' | '.join(row)} |" for row in (("release", *COLUMNS), ["---"] * (len(COLUMNS) + 1)))
    faults = []
    for version in versions:
        cells: dict[str, str] = {}
        try:
            for found in check(version, tests):
                cells[found.column] = found.cell
        except ForkError as error:
            faults.append(f"{version}: {error}")
        yield f"| {' | '.join((version, *(cells.get(column, '–') for column in COLUMNS)))} |"
    if faults:
        raise ForkError("\n".join(faults))


def decisions(wired: Wired) -> list[str]:
    """Every place that a person has to look at before the fork stands on this release."""
    return [*wired.faults, *map(str, wired.unexplained())]


def news(archive: ZipFile) -> News:
    """Compares a release with the pinned one."""
    pinned = release()
    with pinned.opened(indexed_wheel(pinned)) as before:
        old, new = _said(before), _said(archive)
        return News(sorted((new - old).elements()), list(_changed_files(before, archive)))


def _said(archive: ZipFile) -> Counter[str]:
    files = [
        name for name in archive.namelist() if name.startswith("litellm/") and not name.startswith(OWN_DIRECTORIES)
    ]
    lines = ((name, line) for name in files for line in archive.read(name).decode(errors="replace").split("\n"))
    return Counter(f"{name}: {line.strip()[:120]}" for name, line in lines if MENTION.search(line))


def _changed_files(before: ZipFile, after: ZipFile) -> Iterator[str]:
    old, new = set(before.namelist()), set(after.namelist())
    for name in sorted(name for name in old | new if name.startswith(OWN_DIRECTORIES)):
        texts = [
            archive.read(name).decode(errors="replace").splitlines() if name in names else []
            for archive, names in ((before, old), (after, new))
        ]
        lines = Counter(line[0] for line in difflib.ndiff(texts[0], texts[1]))
        if lines["+"] or lines["-"]:
            yield f"{name}: +{lines['+']} -{lines['-']}"


def _shown(found: News) -> Iterator[str]:
    yield f"new mentions of vLLM since {release().version}: {len(found.mentions)}"
    yield from (f"  {mention}" for mention in found.mentions)
    yield f"changed files of upstream's vLLM providers: {len(found.files)}"
    yield from (f"  {file}" for file in found.files)


def _run(copy: Path, *command: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LITELLM_UPSTREAM")}
    return subprocess.run(
        [*map(str, command)], cwd=copy, env={**environment, **env}, capture_output=True, text=True, check=False
    )


def _built(copy: Path) -> Path:
    if kept := sorted((copy / "dist").glob("*.whl")):
        return kept[0]
    done = _run(copy, sys.executable, "-m", "fork", "build", "dist")
    if done.returncode:
        raise ForkError(f"it cannot be built:\n{done.stderr.strip()}")
    return copy / done.stdout.strip()


def _tested(copy: Path, wheel: Path, proxy: list[str]) -> Iterator[Found]:
    venv.create(copy / ".venv", with_pip=True, symlinks=os.name != "nt")
    python = copy / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    # Kept for the next check: pip builds nothing twice.
    cache = {"PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", str(cache_dir() / "pip")), "PYTHONPATH": ""}
    requirements = ["--requirement", "requirements/test.txt", "--requirement", "requirements/proxy.txt"]
    install: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = _run(copy, *install, wheel, *proxy, *requirements, **cache)
    if done.returncode:
        raise ForkError(f"its tests cannot be installed:\n{done.stderr.strip()}")
    done = _run(copy, python, "-c", "import litellm")
    if done.returncode:
        raise ForkError(f"it cannot be imported:\n{done.stderr.strip()}")
    failures: list[str] = []
    for column, files in TESTS.items():
        done = _run(copy, python, "-m", "pytest", "--quiet", *files)
        *_, summary = (done.stdout.strip() or done.stderr.strip() or "it said nothing").splitlines()
        summary = re.sub(r"=+| in \d.*", "", summary).strip()
        yield Found(f"{column}: {summary}", column, summary)
        if done.returncode:
            failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
            failures += failed or done.stderr.splitlines()[-20:]
    if failures:
        raise ForkError("\n".join(["its tests fail:", *failures]))
