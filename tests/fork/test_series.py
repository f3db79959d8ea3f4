"""
The change as patches that `git am` takes: together they are the change, and each stands on those before it.

`make series` looks at every patch (SERIES=all), the other runs at the first ones.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from fork import patch, series
from fork.edits import all_edits
from fork.lock import ForkError
from fork.series import PATCHES, prefix
from fork.series.earlier import without_later
from fork.wheel import overlay

from .conftest import Tiny, needs_git

OURS = re.compile(r"remodlai|lexiq", re.IGNORECASE)
ALL = os.environ.get("SERIES") == "all"
COUNT = len(PATCHES) if ALL else 4


def git(directory: Path, *arguments: str | Path) -> str:
    identity = ("-c", "user.name=A", "-c", "user.email=a@localhost")
    done = subprocess.run(
        ["git", *identity, *map(str, arguments)], cwd=directory, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    directory = tmp_path_factory.mktemp("series")
    return [path for each in PATCHES[:COUNT] for path in series.write(directory, each.name)]


@needs_git
def test_the_patches_make_their_change(written: list[Path], upstream: Path, tmp_path: Path) -> None:
    """Applied by git, patch by patch, on the release; in `make series` each is imported and tested as it is applied."""
    whole = prefix(COUNT)
    with ZipFile(upstream) as archive:
        names = [name for name in archive.namelist() if name.startswith("litellm/")]
        archive.extractall(tmp_path, names if ALL else [name for name in names if name in whole])
        released = {name: archive.read(name) for name in names if name in whole}
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_text("__pycache__\n.pytest_cache\n")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "the release")
    failed = []
    for each, file in zip(PATCHES, written, strict=False):
        git(tmp_path, "am", "--quiet", file)
        if ALL and (said := failures(tmp_path)):
            failed.append(f"{each.name}:\n{said}")
    assert not failed, "\n\n".join(failed)
    subjects = git(tmp_path, "log", "--reverse", "--format=%s").splitlines()[1:]
    assert subjects == [each.subject for each in PATCHES[:COUNT]]
    changed = git(tmp_path, "diff", "--name-only", "HEAD~" + str(COUNT), "HEAD").split()
    assert {path: (tmp_path / path).read_bytes() for path in changed} == {
        path: data for path, data in whole.items() if data != released.get(path)
    }


def failures(tree: Path) -> str:
    """What is said where the tree's package cannot be imported or a test in it fails."""
    imported = "import sys, litellm, litellm.proxy.proxy_server; sys.exit(not litellm.__file__.startswith(sys.argv[1]))"
    for command in (["-c", imported, str(tree)], ["-m", "pytest", "-q", "--import-mode=importlib", "tests"]):
        environment = {**os.environ, "PYTHONPATH": str(tree)}
        done = subprocess.run(
            [sys.executable, *command], cwd=tree, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode not in (0, 4, 5):  # 4 and 5: no tests yet
            return done.stdout + done.stderr
    return ""


@pytest.mark.skipif(not ALL, reason="make series")
def test_the_whole_change_is_what_apply_writes(upstream: Path, tmp_path: Path) -> None:
    with ZipFile(upstream) as archive:
        archive.extractall(tmp_path, [name for name in archive.namelist() if name.startswith("litellm/")])
    written = patch.apply(tmp_path)
    whole = prefix(len(PATCHES))
    assert {path: (tmp_path / path).read_bytes() for path in written} == whole
    assert overlay().keys() <= whole.keys()


def test_every_edit_is_in_one_patch() -> None:
    edits = [edit.name for each in PATCHES for edit in series.edits_of(each)]
    assert sorted(edits) == sorted(edit.name for edit in all_edits())
    assert all(series.edits_of(each) for each in PATCHES)


def test_every_prefix_is_whole_and_names_nothing_that_comes_later() -> None:
    for count in range(1, min(COUNT + 1, len(PATCHES))):
        files = prefix(count)
        assert prefix(count - 1).keys() <= files.keys()
        for path, data in files.items():
            if path.endswith(".py"):
                compile(data, path, "exec", dont_inherit=True)
            named = OURS.search(data.decode())
            assert path.startswith("tests/") or named is None, (PATCHES[count - 1].name, path)


def test_a_message_says_what_and_why(written: list[Path]) -> None:
    for each in PATCHES:
        subject, _, body = series.message(each).partition("\n\n")
        assert re.match(r"(feat|fix|perf)(\([\w ]+\))?: [a-z]", subject) and len(subject) <= 75, subject
        assert body and all(len(line) <= 72 or " " not in line for line in body.splitlines())
    assert [path.name[:4] for path in written] == [f"{number:04}" for number in range(1, COUNT + 1)]


@needs_git
def test_one_patch_alone_is_the_same_one(written: list[Path], tmp_path: Path) -> None:
    [alone] = series.write(tmp_path, PATCHES[1].name)
    assert alone.read_bytes() == next(path for path in written if path.name == alone.name).read_bytes()


def test_an_unknown_patch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ForkError, match="no such patch: unmaped. Patches: create-response, "):
        series.write(tmp_path / "new", "unmaped")
    assert not (tmp_path / "new").exists()


def test_a_module_before_a_later_patch() -> None:
    before = (
        "import httpx\n\nfrom litellm.later import Safe\nfrom litellm.now import Kept\n\n"
        'NAMES = frozenset({"hosted_vllm", "remodlai", "lexiq_nova"})\n\n\nclass A(Safe, Kept): ...\n'
    )
    after = (
        'import httpx\n\nfrom litellm.now import Kept\n\nNAMES = frozenset({"hosted_vllm"})\n\n\nclass A(Kept): ...\n'
    )
    assert without_later(before.encode(), ["litellm/later.py"]) == after.encode()


@needs_git
def test_the_command_writes_the_series(tiny: Callable[..., Tiny], tmp_path: Path) -> None:
    done = tiny().fork("series", tmp_path / "out", "--only", "nothing")
    assert done.returncode == 1
    assert done.stderr.startswith("error: no such patch: nothing. Patches: ")
