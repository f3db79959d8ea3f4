"""The change as upstream would take it: the patch, and the same change made in a tree."""

import json
import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest

from fork import patch
from fork.lock import ForkError
from fork.wiring import Wired

from .conftest import fork, needs_git


def tree(upstream: Path, directory: Path) -> Path:
    """Upstream's package, as a clean checkout of it has it."""
    with ZipFile(upstream) as archive:
        archive.extractall(directory, [name for name in archive.namelist() if name.startswith("litellm/")])
    return directory


def contents(directory: Path) -> dict[str, bytes]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files}


def git_apply(directory: Path, file: Path, *options: str) -> None:
    done = subprocess.run(
        ["git", "apply", *options, str(file)], cwd=directory, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def patched(upstream: Path, snapshot: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree with the patch applied by git."""
    directory = tmp_path_factory.mktemp("patch")
    done = fork("patch", directory / "new/remodlai.patch", cwd=snapshot)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(directory / "new/remodlai.patch")
    patched = tree(upstream, directory / "tree")
    git_apply(patched, directory / "new/remodlai.patch", "--check", "--verbose")
    git_apply(patched, directory / "new/remodlai.patch")
    return patched


@needs_git
def test_the_patch_makes_what_apply_makes(upstream: Path, snapshot: Path, patched: Path, tmp_path: Path) -> None:
    directory = tree(upstream, tmp_path / "tree")
    done = fork("apply", directory, cwd=snapshot)
    assert done.returncode == 0, done.stderr
    applied, by_git = contents(directory), contents(patched)
    assert applied.keys() == by_git.keys()
    assert [path for path, data in applied.items() if data != by_git[path]] == []
    changed = len(applied.items() - contents(tree(upstream, tmp_path / "clean")).items())
    assert done.stdout == f"{changed} files written\n"


@needs_git
def test_the_patch_holds_wiring_provider_and_tests(patched: Path, snapshot: Path, upstream: Path, wired: Wired) -> None:
    files = contents(patched)
    with ZipFile(upstream) as archive:
        for path in archive.namelist():
            files.pop(path, None) if path not in wired.files else None
    expected = {path: text.encode() for path, text in wired.files.items()}
    expected |= {f"litellm/{path}": data for path, data in contents(snapshot / "litellm").items()}
    expected |= patch.accompanying(wired.version)
    assert files == expected
    assert "tests/test_litellm/llms/remodlai/test_remodlai_basic.py" in files


def test_a_directory_that_is_no_litellm_is_refused(tmp_path: Path) -> None:
    (tmp_path / "litellm").mkdir()
    with pytest.raises(ForkError, match=r"holds no LiteLLM source: name the folder that contains `litellm/`"):
        patch.apply(tmp_path)
    assert contents(tmp_path) == {}


@needs_git
def test_a_tree_that_has_the_change_is_refused(patched: Path) -> None:
    before = contents(patched)
    with pytest.raises(ForkError, match="already has the change; start from a clean upstream tree"):
        patch.apply(patched)
    assert contents(patched) == before


def test_a_tree_with_an_unexplained_mention_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fork.wiring.all_edits", tuple)
    (tmp_path / "litellm/llms/hosted_vllm").mkdir(parents=True)
    (tmp_path / "litellm/new.py").write_text('x = connect("vllm")\ny = ["vllm"]\n')
    before = contents(tmp_path)
    with pytest.raises(ForkError, match=r"litellm/new\.py:1: UNEXPLAINED: x = connect"):
        patch.apply(tmp_path)
    assert contents(tmp_path) == before


def test_a_tree_s_own_lists_of_providers_name_the_twins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files of upstream's source tree that its wheel does not have; here small ones of the same shape."""
    monkeypatch.setattr("fork.wiring.all_edits", tuple)
    dashboard = "ui/litellm-dashboard/src/components/provider_info_helpers.tsx"
    files = {
        "litellm/llms/hosted_vllm/__init__.py": "",
        "README.md": "Runs with vllm.\n\n| [vLLM (`hosted_vllm`)](https://docs/providers/vllm) | yes |\n",
        "provider_endpoints_support.json": json.dumps(
            {"providers": {"hosted_vllm": {"endpoints": {"audio_transcriptions": False}}}}, indent=2
        ),
        dashboard: 'enum Providers {\n  Hosted_Vllm = "Hosted vLLM",\n}\n',
        "ui/other.tsx": 'x = "hosted_vllm"\n',
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    patch.apply(tmp_path)
    assert (
        "| [Lexiq Nova (`remodlai`)](https://docs/providers/remodlai) | yes |\n" in (tmp_path / "README.md").read_text()
    )
    endpoints = json.loads((tmp_path / "provider_endpoints_support.json").read_text())["providers"]
    assert {name: each["endpoints"]["audio_transcriptions"] for name, each in endpoints.items()} == {
        "hosted_vllm": False,
        "remodlai": True,
        "lexiq_nova": True,
    }
    assert '  Remodlai = "Lexiq Nova",\n  Lexiq_Nova = "Lexiq Nova (local)",\n}' in (tmp_path / dashboard).read_text()
    assert (tmp_path / "ui/other.tsx").read_text() == files["ui/other.tsx"]


def test_a_patch_without_git_is_refused(wired: Wired, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ForkError, match="needs git; install it"):
        patch.write(tmp_path / "x.patch")
    assert not (tmp_path / "x.patch").exists()
