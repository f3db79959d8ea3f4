"""
The change as patches that `git am` takes: together they are the change, and each stands on those before it.

`make series` looks at every patch (SERIES=all), the other runs at the first ones.
"""

import ast
import json
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
from fork.lock import ForkError, locked_versions, release
from fork.series import FIRST_PROVIDER, PATCHES, prefix
from fork.source import ROOT
from fork.syntax import parsed
from fork.upstream import upstream_wheel
from fork.wheel import overlay

from .conftest import Tiny, needs_git
from .test_gates import needing_formatter, new_findings

ALL = os.environ.get("SERIES") == "all"
COUNT = len(PATCHES) if ALL else 4
# How many patches: the first ones, and all before the local engine.
PREFIXES = [*range(1, min(COUNT + 1, len(PATCHES))), *([] if ALL else [len(PATCHES) - 1])]


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


def of_litellm(written: list[Path]) -> list[Path]:
    return [file for file in written if file.parent.name != "litellm-docs"]


def release_in(directory: Path, archive: ZipFile, names: list[str]) -> None:
    """A repository with upstream's files, as they are in the wheel."""
    archive.extractall(directory, names)
    git(directory, "init", "--quiet")
    (directory / ".gitignore").write_text("__pycache__\n.pytest_cache\n")
    git(directory, "add", "--all")
    git(directory, "commit", "--quiet", "--message", "the release")


@needs_git
def test_the_patches_make_their_change(written: list[Path], upstream: Path, tmp_path: Path) -> None:
    """Applied by git, patch by patch, on the release; in `make series` each is imported and tested as it is applied."""
    whole = prefix(COUNT)
    with ZipFile(upstream) as archive:
        names = [name for name in archive.namelist() if name.startswith("litellm/")]
        released = {name: archive.read(name) for name in names if name in whole}
        release_in(tmp_path, archive, names if ALL else list(released))
    failed = []
    for each, file in zip(PATCHES, of_litellm(written), strict=False):
        git(tmp_path, "am", "--quiet", file)
        changed = git(tmp_path, "diff", "--name-only", "HEAD~1").split()
        own = [path for path in changed if Path(path).name.startswith("test_")]
        if ALL and (said := failures(tmp_path, changed, ["tests"] if each is PATCHES[-1] else own)):
            failed.append(f"{each.name}:\n{said}")
    assert not failed, "\n\n".join(failed)
    subjects = git(tmp_path, "log", "--reverse", "--format=%s").splitlines()[1:]
    assert subjects == [each.subject for each in PATCHES[:COUNT]]
    assert changes(tmp_path, COUNT) == {path: data for path, data in whole.items() if data != released.get(path)}


def changes(tree: Path, commits: int) -> dict[str, bytes]:
    """The files that the last commits changed, as they are now."""
    changed = git(tree, "diff", "--name-only", f"HEAD~{commits}", "HEAD").split()
    return {path: (tree / path).read_bytes() for path in changed}


@needs_git
@pytest.mark.skipif(not ALL, reason="make series")
def test_the_whole_series_is_for_the_newest_release_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LITELLM_UPSTREAM", locked_versions()[-1])
    monkeypatch.setenv("LOOPBACK_ONLY", "0")  # pip, which downloads
    locked = release()
    files = of_litellm(series.write(tmp_path / "series"))
    whole = prefix(len(PATCHES))
    tree = tmp_path / "tree"
    with locked.opened(upstream_wheel(locked)) as archive:
        released = {name: archive.read(name) for name in archive.namelist() if name in whole}
        release_in(tree, archive, list(released))
    git(tree, "am", "--quiet", *files)
    assert changes(tree, len(files)) == {path: data for path, data in whole.items() if data != released.get(path)}


@needs_git
def test_the_page_goes_to_the_repository_of_the_documentation(tmp_path: Path) -> None:
    page = series.write_page(tmp_path / "out")
    sidebar = ["const sidebars = [", '        "providers/recraft",', '        "providers/replicate",', "];", ""]
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "sidebars.js").write_text("\n".join(sidebar))
    git(docs, "init", "--quiet")
    git(docs, "add", "--all")
    git(docs, "commit", "--quiet", "--message", "the documentation")
    git(docs, "am", "--quiet", page)
    assert (docs / "docs/providers/remodlai.md").read_text() == (ROOT / "docs/providers/remodlai.md").read_text()
    sidebar.insert(2, '        "providers/remodlai",')
    assert (docs / "sidebars.js").read_text() == "\n".join(sidebar)


def test_the_wheel_is_the_release_with_the_series(built: Path, upstream: Path) -> None:
    def files(wheel: Path) -> dict[str, bytes]:
        with ZipFile(wheel) as archive:
            return {name: archive.read(name) for name in archive.namelist() if name.startswith("litellm/")}

    whole = {path: data for path, data in prefix(len(PATCHES)).items() if path.startswith("litellm/")}
    assert files(built) == files(upstream) | whole


# One process: LiteLLM takes longer to import than most of these tests.
CHECK = """
import importlib, sys, litellm, pytest
tree, modules, *tests = sys.argv[1:]
assert litellm.__file__.startswith(tree), litellm.__file__
for module in modules.split():
    importlib.import_module(module)
options = ["-q", "--import-mode=importlib", "--override-ini=asyncio_mode=auto", "--rootdir", tree]
from support import callbacks  # upstream's conftest of these tests restores the lists too
sys.exit(pytest.main([*options, *tests], plugins=[callbacks]) if tests else 0)
"""


def failures(tree: Path, changed: list[str], tests: list[str]) -> str:
    """What is said where a changed module of the tree cannot be imported or one of the tests in it fails."""
    paths = [Path(path) for path in changed if path.startswith("litellm/") and path.endswith(".py")]
    modules = [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in paths]
    done = subprocess.run(
        [sys.executable, "-c", CHECK, str(tree), " ".join(modules), *tests],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": f"{tree}:{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout[-20000:] + done.stderr[-5000:] if done.returncode else ""


@needs_git
@pytest.mark.skipif(not ALL, reason="make series")
def test_the_whole_change_is_what_apply_writes(upstream: Path, tmp_path: Path) -> None:
    """In a source tree, which has the lists of providers that no wheel has."""
    tree = tmp_path / "tree"
    with ZipFile(upstream) as archive:
        archive.extractall(tree, [name for name in archive.namelist() if name.startswith("litellm/")])
    for path, text in SOURCES.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
    names = [patch.name for patch in PATCHES if patch.twin] + [PATCHES[-1].name]
    files = [path for name in names for path in of_litellm(series.write(tmp_path / "series", name, tree))]
    said = "".join(file.read_text() for file in files)
    assert all(f"+++ b/{path}\n" in said for path in SOURCES)
    programs = '[project.scripts]\nlexiq-nova = "litellm.llms.remodlai.__main__:main"\nlitellm = "litellm:run_server"\n'
    whole = prefix(len(PATCHES), tree)
    assert whole["pyproject.toml"].decode() == programs
    written = patch.apply(tree)
    assert {path: (tree / path).read_bytes() for path in written} == whole
    assert overlay().keys() | SOURCES.keys() <= whole.keys()


# Small files of the shape that upstream's source tree has.
SOURCES = {
    "pyproject.toml": '[project.scripts]\nlitellm = "litellm:run_server"\n',
    "README.md": "| [vLLM (`hosted_vllm`)](https://docs/providers/vllm) | yes |\n",
    "provider_endpoints_support.json": json.dumps(
        {"providers": {"hosted_vllm": {"endpoints": {"audio_transcriptions": False}}}}, indent=2
    ),
    "ui/litellm-dashboard/src/components/provider_info_helpers.tsx": 'enum P {\n  Hosted_Vllm = "Hosted vLLM",\n}\n',
}


def test_every_edit_is_in_one_patch() -> None:
    edits = [edit.name for each in PATCHES for edit in series.edits_of(each)]
    assert sorted(edits) == sorted(edit.name for edit in all_edits())
    assert all(series.edits_of(each) or each.files for each in PATCHES[1:])


@pytest.mark.parametrize("count", PREFIXES)
def test_a_prefix_is_whole_and_names_nothing_that_comes_later(count: int) -> None:
    files = prefix(count)
    assert not ALL or prefix(count - 1).keys() <= files.keys()
    named = [patch.twin.own for patch in PATCHES[count:] if patch.twin]
    modules = [re.escape(path.removesuffix(".py").replace("/", ".")) for path in overlay() if path not in files]
    pattern = re.compile("|".join([*named, *(rf"(?:from|import) {module}\b" for module in modules)]))
    for path, data in files.items():
        if path.endswith(".py"):
            compile(data, path, "exec", dont_inherit=True)
            said = pattern.search(ast.unparse(without_docstrings(parsed(data))))
            assert path.startswith("tests/") or said is None, (path, said)


def without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        for statement in getattr(node, "body", ()) if not isinstance(node, ast.Lambda | ast.IfExp) else ():
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                statement.value = ast.Constant(value=None)
    return tree


def test_the_providers_come_one_after_the_other() -> None:
    """A refusal of one loses nothing of those before it."""
    names = [patch.name for patch in PATCHES[FIRST_PROVIDER:]]
    assert names == ["remodlai", "embeddings", "streams", "pass-through", "lexiq-nova", "local-engine"]
    assert all(series.files_of(patch, release().version) for patch in PATCHES[FIRST_PROVIDER:])


@pytest.mark.skipif(not ALL, reason="make series")
@pytest.mark.parametrize("count", PREFIXES[1:])  # the first patch has tests only
def test_upstreams_checks_find_nothing_new_in_a_prefix(count: int, upstream: Path, tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    with ZipFile(upstream) as archive:
        there = {*archive.namelist()}
        for path, data in prefix(count).items():
            if path.startswith("litellm/") and path.endswith(".py"):
                (after / path).parent.mkdir(parents=True, exist_ok=True)
                (after / path).write_bytes(data)
                if path in there:
                    archive.extract(path, before)
    before.mkdir(exist_ok=True)
    assert new_findings(before, after) == set()
    assert needing_formatter(after) - needing_formatter(before) == set()


def test_a_message_says_what_and_why(written: list[Path]) -> None:
    for each in PATCHES:
        subject, _, body = series.message(each).partition("\n\n")
        assert re.match(r"(feat|fix|perf|test)(\([\w ]+\))?: [a-z]", subject) and len(subject) <= 75, subject
        assert not subject.startswith("perf") or "Measured: " in body
    assert body and all(len(line) <= 72 or " " not in line for line in body.splitlines())
    assert [path.name[:4] for path in of_litellm(written)] == [f"{number:04}" for number in range(1, COUNT + 1)]


@needs_git
def test_one_patch_alone_is_the_same_one(written: list[Path], tmp_path: Path) -> None:
    [alone] = series.write(tmp_path, PATCHES[1].name)
    assert alone.read_bytes() == next(path for path in written if path.name == alone.name).read_bytes()


def test_an_unknown_patch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ForkError, match="no such patch: unmaped. Patches: self-hosted-tests, "):
        series.write(tmp_path / "new", "unmaped")
    assert not (tmp_path / "new").exists()


@needs_git
def test_the_command_writes_the_series(tiny: Callable[..., Tiny], tmp_path: Path) -> None:
    done = tiny().fork("series", tmp_path / "out", "--only", "nothing")
    assert done.returncode == 1
    assert done.stderr.startswith("error: no such patch: nothing. Patches: ")
