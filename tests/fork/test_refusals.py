"""What the fork refuses: one line that says what is wrong and what to do, exit code 1, and nothing left behind."""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import pytest

from fork import backend, lock
from fork.lock import LOCK_FILE, Release
from fork.source import ROOT, tree
from fork.upstream import cached_wheel

from .conftest import Tiny, run, write_wheel

OTHER_HASH = "0" * 64


def refused(done: subprocess.CompletedProcess[str], directory: Path) -> str:
    """The one line of a refusal; checks that there is no more of it, and that nothing is left in `directory`."""
    assert done.returncode == 1
    assert done.stdout == ""
    assert not directory.exists() or list(directory.iterdir()) == []
    [line] = done.stderr.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


@pytest.mark.parametrize("kind", ["not-a-zip", "poisoned"])
def test_a_wheel_with_another_hash(tiny: Callable[..., Tiny], tmp_path: Path, kind: str) -> None:
    made = tiny()
    expected = sha256(made.wheel.read_bytes()).hexdigest()
    mark = tmp_path / "executed"
    if kind == "not-a-zip":
        made.wheel.write_bytes(b"\0not a zip")
    else:
        poison = f"open({str(mark)!r}, 'w').close()\n"
        names = ("litellm/__init__.py", "litellm/__main__.py", "setup.py", "sitecustomize.py", "poison.pth")
        write_wheel(made.wheel, {**dict.fromkeys(names, poison), "../escaped.py": poison}, made.version)
    found = sha256(made.wheel.read_bytes()).hexdigest()

    line = refused(made.fork("build", tmp_path / "out"), tmp_path / "out")
    assert line == (
        f"{made.wheel} is not the locked file: its sha256 is {found}, fork/lock.json says {expected}. "
        "Delete it and build again; if the index serves this file, do not use it."
    )
    assert not mark.exists()
    assert not list(tmp_path.rglob("escaped.py"))
    assert not list((made.checkout / "cache").rglob("*.json"))


@pytest.mark.parametrize("hook", ["build_wheel", "build_editable", "prepare_metadata_for_build_wheel"])
def test_a_wheel_with_another_hash_is_not_opened(
    hook: str, locked: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No hook of the backend makes an archive of it, unpacks it or runs anything."""
    wheel = tmp_path / next(iter(locked.wheels))
    wheel.write_bytes(b"PK")
    monkeypatch.setenv("LITELLM_UPSTREAM_WHEEL", str(wheel))
    monkeypatch.setattr(zipfile.ZipFile, "__init__", lambda *_: pytest.fail("opened"))
    ran = subprocess.run

    def only_git(command: list[str], **options: object) -> object:
        return ran(command, **options) if command[0] == "git" else pytest.fail("ran something")  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", only_git)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(SystemExit, match=r"error: .* is not the locked file"):
        getattr(backend, hook)(str(out))
    with pytest.raises(SystemExit, match=r"error: .* is not the locked file"):
        backend.get_requires_for_build_wheel()
    assert list(out.iterdir()) == []


def test_a_cached_wheel_with_another_hash(tiny: Callable[..., Tiny], tmp_path: Path) -> None:
    """The cache is checked at each build, not only when it is filled."""
    made = tiny()
    folder = made.checkout / "cache/litellm-remodlai" / made.version
    folder.mkdir(parents=True)
    (folder / made.wheel.name).write_bytes(b"PK")
    (folder / "platform-wheel.txt").write_text(made.wheel.name)
    line = refused(made.fork("build", tmp_path / "out", LITELLM_UPSTREAM_WHEEL=""), tmp_path / "out")
    assert line.startswith(f"{folder / made.wheel.name} is not the locked file: its sha256 is ")


def test_an_index_that_serves_another_file(tiny: Callable[..., Tiny], tmp_path: Path) -> None:
    made = tiny()
    expected = sha256(made.wheel.read_bytes()).hexdigest()
    with ZipFile(made.wheel, "a") as archive:
        archive.writestr("litellm/added.py", "")
    found = sha256(made.wheel.read_bytes()).hexdigest()
    environment = {"LITELLM_UPSTREAM_WHEEL": "", "PIP_FIND_LINKS": str(made.wheel.parent)}
    line = refused(made.fork("build", tmp_path / "out", **environment), tmp_path / "out")
    assert line == (
        f"the package index serves a litellm {made.version} that is not the locked one: its sha256 is {found}, "
        f"fork/ says {expected}. Do not use that index."
    )
    assert not list((made.checkout / "cache").rglob("*.whl"))


def test_the_download_fills_the_cache(tiny: Callable[..., Tiny], tmp_path: Path) -> None:
    """The way of the two tests around this one, gone right: from an index once, then without one."""
    made = tiny()
    index = {"LITELLM_UPSTREAM_WHEEL": "", "PIP_FIND_LINKS": str(made.wheel.parent)}
    first = made.fork("build", tmp_path / "out", **index)
    assert first.returncode == 0, first.stderr
    second = made.fork("build", tmp_path / "out", LITELLM_UPSTREAM_WHEEL="")
    assert (second.returncode, second.stdout) == (0, first.stdout), second.stderr


def test_no_index_and_no_cached_wheel(tiny: Callable[..., Tiny], tmp_path: Path) -> None:
    made = tiny()
    line = refused(made.fork("build", tmp_path / "out", LITELLM_UPSTREAM_WHEEL=""), tmp_path / "out")
    assert line == (
        f"litellm {made.version} is not in the cache and could not be downloaded (ERROR: No matching distribution "
        f"found for litellm=={made.version}). Connect to a package index, or name a downloaded wheel with "
        "LITELLM_UPSTREAM_WHEEL."
    )
    assert not [path for path in (made.checkout / "cache").rglob("*") if path.is_file()]


def test_a_version_that_is_not_in_the_lock(tiny: Callable[..., Tiny], tmp_path: Path) -> None:
    made = tiny()
    line = refused(made.fork("build", tmp_path / "out", LITELLM_UPSTREAM="1.82.7"), tmp_path / "out")
    assert line == (
        f"litellm 1.82.7 is not in fork/lock.json, which lists {made.version}. "
        "Use one of these, or add it with `python -m fork pin 1.82.7`."
    )


def test_a_named_wheel_that_does_not_exist(tiny: Callable[..., Tiny], tmp_path: Path) -> None:
    missing = tmp_path / "missing.whl"
    line = refused(tiny().fork("build", tmp_path / "out", LITELLM_UPSTREAM_WHEEL=str(missing)), tmp_path / "out")
    assert line == f"LITELLM_UPSTREAM_WHEEL names {missing}, which does not exist. Name a wheel or unset it."


def test_a_named_wheel_of_another_name(tiny: Callable[..., Tiny], tmp_path: Path) -> None:
    made = tiny()
    renamed = made.wheel.rename(tmp_path / "litellm-1.0-py3-none-any.whl")
    line = refused(made.fork("build", tmp_path / "out", LITELLM_UPSTREAM_WHEEL=str(renamed)), tmp_path / "out")
    assert line == (
        f"{renamed} is not named like a wheel of litellm {made.version} that fork/lock.json lists. "
        f"Name one of: {made.wheel.name}."
    )


def test_pip_shows_the_line_and_installs_nothing(tiny: Callable[..., Tiny], tmp_path: Path) -> None:
    """Through `pip install .`, with an index that has nothing: said before anything is installed for the build."""
    made = tiny({"litellm/new.py": 'x = connect("vllm")\n'})
    options = ["install", "--no-deps", "--target", tmp_path / "target", "."]
    environment = {
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path / "no"),
    }
    for wheel, message in {
        "": f"      error: litellm {made.version} is not in the cache and could not be downloaded",
        str(tmp_path / "no.whl"): "      error: LITELLM_UPSTREAM_WHEEL names ",
    }.items():
        done = run(
            sys.executable, "-m", "pip", *options, cwd=made.checkout, LITELLM_UPSTREAM_WHEEL=wheel, **environment
        )
        assert done.returncode == 1
        assert message in done.stderr
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "target").exists()


def test_a_refused_wiring_is_one_message_in_the_backend(tiny: Callable[..., Tiny], tmp_path: Path) -> None:
    """The hook that builds, as a frontend runs it."""
    made = tiny({"litellm/new.py": 'x = connect("vllm")\n'})
    out = tmp_path / "out"
    out.mkdir()
    program = f"from fork import backend; backend.build_wheel({str(out)!r})"
    environment = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "LITELLM_UPSTREAM_WHEEL": str(made.wheel)}
    done = run(sys.executable, "-c", program, cwd=made.checkout, **environment)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "litellm/new.py:1: UNEXPLAINED: x = connect" in done.stderr
    assert list(out.iterdir()) == []


# The lock


def test_the_lock_lists_what_the_fork_promises() -> None:
    locked = json.loads(LOCK_FILE.read_text())
    assert locked["pin"] in locked["releases"]
    assert not {"1.82.7", "1.82.8", "1.107.0"} & locked["releases"].keys()  # compromised on the index
    for version, wheels in locked["releases"].items():
        tags = {name.removesuffix(".whl").split("-")[-1] for name in wheels}
        assert tags == set(lock.PLATFORMS)
        assert all(name.startswith(f"litellm-{version}-") for name in wheels)
        assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in wheels.values())


def test_nothing_but_the_lock_names_a_locked_release() -> None:
    """A pin changes one file. What was measured on a release, or was new with it, says so."""
    versions = "|".join(map(re.escape, json.loads(LOCK_FILE.read_text())["releases"]))
    name = re.compile(rf"(?<![\d.])(?:{versions})(?!\.?\d)")
    source = tree()
    assert source
    files = [
        path for path in source.files if not path.startswith(("benchmarks/", "CHANGELOG")) and (ROOT / path).is_file()
    ]
    texts = {path: (ROOT / path).read_bytes().decode(errors="ignore") for path in files}
    assert {path for path, text in texts.items() if name.search(text)} == {LOCK_FILE.relative_to(ROOT).as_posix()}


def test_the_cache_knows_which_wheel_is_this_platform_s(
    locked: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("LITELLM_UPSTREAM_WHEEL", raising=False)
    folder = tmp_path / "litellm-remodlai" / locked.version
    folder.mkdir(parents=True)
    assert cached_wheel(locked) is None
    (folder / "other.whl").touch()
    (folder / "this.whl").touch()
    assert cached_wheel(locked) is None
    (folder / "platform-wheel.txt").write_text("this.whl\n")
    assert cached_wheel(locked) == folder / "this.whl"
    (folder / "this.whl").unlink()
    assert cached_wheel(locked) is None
