"""
Upstream's own checks of style over what the fork changes and adds: nothing new is found, in the pinned release and, in
`make gates` (GATES=all), in the newest locked one.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path, PurePath

import pytest

from fork.lock import locked_versions, release
from fork.upstream import upstream_wheel
from fork.wheel import overlay
from fork.wiring import Wired

from . import discipline
from .conftest import Audit, audit

CONFIG = Path(__file__).with_name("ruff_of_upstream.toml")
OWN = "litellm/llms/remodlai/"
# The providers' methods have the signatures of the methods that they override, which say `Any`.
OVERRIDES = {"ANN401", "TID251"}
# Names of this module are the SDK's settings, which programs bind.
SETTINGS = "litellm/__init__.py"
# Twins that stand in a chain of branches, each of which binds the same names.
IN_CHAINS = Counter(
    {("litellm/litellm_core_utils/get_llm_provider_logic.py", "LIT011"): 4, ("litellm/utils.py", "LIT010"): 2}
)
# What mypy says of lines of ours: of an alias of upstream's that it does not know for a type, and of what is looked up
# by name in a stream, and what the core of the Router since 1.110 hands over, which upstream types as a mapping.
_ADAPTERS = "litellm/llms/anthropic/{}/adapters/transformation.py"
TO_CHECKER = Counter(
    {
        (_ADAPTERS.format("pass_through"), "attr-defined"): 1,
        (_ADAPTERS.format("messages"), "attr-defined"): 1,
        ("litellm/llms/anthropic/messages/adapters/streaming_iterator.py", "operator"): 2,
        ("litellm/router_rust/core.py", "arg-type"): 3,
        ("litellm/router_rust/steps/callbacks.py", "arg-type"): 2,
        ("litellm/router_rust/steps/callbacks.py", "attr-defined"): 1,
        ("litellm/llms/remodlai/common_utils.py", "override"): 1,
    }
)
ALL = os.environ.get("GATES") == "all"
RELEASES = {release().version, *(locked_versions()[-1:] if ALL else ())}


@pytest.fixture(scope="module", params=sorted(RELEASES))
def changed(request: pytest.FixtureRequest, audited: Audit) -> Wired:
    """What the wiring makes of a release."""
    of_release = audited if request.param == release().version else audit(request.param)
    assert of_release.returncode == 0, of_release.stderr
    return of_release.wired[0]


@pytest.fixture(scope="module")
def trees(changed: Wired, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The changed files as the release has them, and the changed and added ones."""
    locked = release(changed.version)
    before, after = tmp_path_factory.mktemp("before"), tmp_path_factory.mktemp("after")
    with locked.opened(upstream_wheel(locked)) as archive:
        archive.extractall(before, [path for path in changed.files if path.endswith(".py")])
    for path, data in ({path: text.encode() for path, text in changed.files.items()} | overlay()).items():
        if path.endswith(".py"):
            (after / path).parent.mkdir(parents=True, exist_ok=True)
            (after / path).write_bytes(data)
    return before, after


def said(directory: Path, *command: str) -> list[dict[str, str]]:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, f"--config={CONFIG}", "--output-format=json", "."],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    found: list[dict[str, str]] = json.loads(done.stdout)
    return [{**each, "file": Path(each["filename"]).relative_to(directory.resolve()).as_posix()} for each in found]


def of_types(directory: Path) -> Counter[tuple[str, str]]:
    """What upstream's check of type discipline says; no wheel has it."""
    found: Counter[tuple[str, str]] = Counter()
    for path in directory.rglob("*.py"):
        file = path.relative_to(directory).as_posix()
        found.update((file, finding.rule) for finding in discipline.findings(path.read_text()))
    del found[SETTINGS, "LIT010"]
    return found


def findings(directory: Path) -> Counter[tuple[str, str]]:
    return Counter((each["file"], each["code"]) for each in said(directory, "check", "--quiet"))


def new_findings(before: Path, after: Path) -> set[tuple[str, str]]:
    new = findings(after) - findings(before)
    return {place for place in new if not (place[0].startswith(OWN) and place[1] in OVERRIDES)}


def needing_formatter(directory: Path) -> set[str]:
    return {each["file"] for each in said(directory, "format", "--check")}


def test_no_file_needs_the_formatter_that_did_not_before(trees: tuple[Path, Path]) -> None:
    before, after = map(needing_formatter, trees)
    assert after - before == set()


def test_nothing_new_is_found(trees: tuple[Path, Path]) -> None:
    assert new_findings(*trees) == set()


def test_types_are_as_disciplined_as_before(trees: tuple[Path, Path]) -> None:
    before, after = map(of_types, trees)
    assert after - before == IN_CHAINS


def of_checker(tree: Path, paths: list[str], cache: Path) -> Counter[tuple[str, str]]:
    """What mypy says of files of a whole package, without upstream's leniency for single modules."""
    options = ["--config-file=", "--ignore-missing-imports", "--follow-imports=silent", f"--cache-dir={cache}"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "--output=json", *paths],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    found = map(json.loads, done.stdout.splitlines())
    return Counter((each["file"], each["code"]) for each in found if each["severity"] == "error")


@pytest.mark.skipif(not ALL, reason="make gates")
def test_the_type_checker_finds_nothing_new(changed: Wired, trees: tuple[Path, Path], tmp_path: Path) -> None:
    locked, tree = release(changed.version), tmp_path / "tree"
    with locked.opened(upstream_wheel(locked)) as archive:
        archive.extractall(tree, [path for path in archive.namelist() if path.endswith((".py", ".pyi", "py.typed"))])
    before = of_checker(tree, [path for path in changed.files if path.endswith(".py")], tmp_path / "cache")
    shutil.copytree(trees[1], tree, dirs_exist_ok=True)
    paths = sorted(path.relative_to(trees[1]).as_posix() for path in trees[1].rglob("*.py"))
    assert of_checker(tree, paths, tmp_path / "cache") - before - TO_CHECKER == Counter()


def test_folders_of_providers_are_in_the_table_of_endpoints(changed: Wired) -> None:
    """Upstream's check reads its source tree's table; the wheel has a copy of it, wired by the same rule."""
    locked = release(changed.version)
    with locked.opened(upstream_wheel(locked)) as archive:
        there = {PurePath(name).parts[2] for name in archive.namelist() if name.startswith("litellm/llms/")}
    folders = {PurePath(path).parts[2] for path in overlay() if path.startswith("litellm/llms/")} - there
    table = json.loads(changed.files["litellm/provider_endpoints_support_backup.json"])["providers"]
    assert folders and folders <= table.keys()


def test_a_new_finding_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from typing import Any\n\n\ndef a(b, c: Any = 1): return b\n")
    codes = {code for _, code in findings(tmp_path)}
    assert codes == {"ANN001", "ANN201", "ANN401", "TID251"}
    assert needing_formatter(tmp_path) == {"a.py"}
