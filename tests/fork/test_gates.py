"""
Upstream's own checks of style and types over what the fork changes and adds: nothing new is found.

The facts are those of upstream's configuration of ruff (line length 120, Python 3.10, its strict rules).
"""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from zipfile import ZipFile

import pytest

from fork.wheel import overlay
from fork.wiring import Wired

OPTIONS = ("--isolated", "--line-length=120", "--target-version=py310")
RULES = "ANN001,ANN002,ANN003,ANN201,ANN202,ANN401,B008,BLE001,C901,E402,E501,F,PLE,RUF012,T20,TID251,UP"
ANY = 'lint.flake8-tidy-imports.banned-api."typing.Any".msg="name the type"'
ROUTES = "litellm/proxy/pass_through_endpoints/llm_passthrough_endpoints.py"
OWN = "litellm/llms/remodlai/"
# What is new all the same, by file and rule: how often, and why it stays.
NEW = {
    # A route's twin has the parameters and the unnamed result of its model.
    (ROUTES, "ANN201"): 2,
    (ROUTES, "B008"): 2,
    (ROUTES, "F405"): 2,
    # Two branches more in a function that upstream's rule allows no more of.
    ("litellm/utils.py", "C901"): 1,
    # Where upstream imports behind a statement, so does the edit.
    ("litellm/files/main.py", "E402"): 1,
    # What closes a dropped stream must not break the request it meets.
    ("litellm/llms/custom_httpx/collector_safe_client.py", "BLE001"): 1,
    ("litellm/litellm_core_utils/stream_errors.py", "BLE001"): 1,
}


@pytest.fixture(scope="module")
def trees(wired: Wired, upstream: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The changed files as the release has them, and the changed and added ones."""
    before, after = tmp_path_factory.mktemp("before"), tmp_path_factory.mktemp("after")
    with ZipFile(upstream) as archive:
        archive.extractall(before, [path for path in wired.files if path.endswith(".py")])
    for path, data in ({path: text.encode() for path, text in wired.files.items()} | overlay()).items():
        if path.endswith(".py"):
            (after / path).parent.mkdir(parents=True, exist_ok=True)
            (after / path).write_bytes(data)
    return before, after


def findings(directory: Path) -> Counter[tuple[str, str]]:
    command = [sys.executable, "-m", "ruff", "check", *OPTIONS, f"--select={RULES}", f"--config={ANY}", "--quiet"]
    done = subprocess.run(
        [*command, "--output-format=json", "."], cwd=directory, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    root = directory.resolve()
    places = ((Path(each["filename"]).relative_to(root).as_posix(), each["code"]) for each in json.loads(done.stdout))
    return Counter(places)


def needing_formatter(directory: Path) -> set[str]:
    command = [sys.executable, "-m", "ruff", "format", "--check", "--isolated", "--line-length=120"]
    done = subprocess.run(
        [*command, "--output-format=json", "."], cwd=directory, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return {Path(each["filename"]).relative_to(directory.resolve()).as_posix() for each in json.loads(done.stdout)}


def test_no_file_needs_the_formatter_that_did_not_before(trees: tuple[Path, Path]) -> None:
    before, after = map(needing_formatter, trees)
    assert after - before == set()


def test_nothing_new_is_found(trees: tuple[Path, Path]) -> None:
    """Outside of the providers' own modules."""
    before, after = map(findings, trees)
    new = {place: count for place, count in (after - before).items() if not place[0].startswith(OWN)}
    assert {place: count for place, count in new.items() if count > NEW.get(place, 0)} == {}


def test_a_new_finding_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from typing import Any\n\n\ndef a(b, c: Any = 1): return b\n")
    codes = {code for _, code in findings(tmp_path)}
    assert codes == {"ANN001", "ANN201", "ANN401", "TID251"}
    assert needing_formatter(tmp_path) == {"a.py"}
