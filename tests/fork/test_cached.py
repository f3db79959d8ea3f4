"""What a build leaves for the next one: whatever becomes of it, the next wheel is the right one or there is none."""

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fork.upstream import cache_dir, libcst_folder

from .conftest import Tiny, run, write_wheel

EDITS: dict[str, Callable[[bytes], bytes]] = {
    "edited": lambda data: data.replace(b"remodlai", b"somebody"),
    "emptied": lambda data: b"",
    "without files": lambda data: b'{"files": {}, "mentions": []}',
    "cut": lambda data: data[: len(data) // 2],
    "bytes": lambda data: b"\xff\xfe",
}


def left(made: Tiny) -> Iterator[Path]:
    """The files that a build has left for the next one, but for wheels: these are compared with the lock."""
    for folder in (made.checkout / "cache", made.checkout / "build"):
        yield from (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".whl")


def built(done: subprocess.CompletedProcess[str]) -> bytes:
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip()).read_bytes()


def test_a_file_that_is_changed_is_not_built_from(tiny: Callable[..., Tiny], tmp_path: Path) -> None:
    made = tiny()
    index = {"LITELLM_UPSTREAM_WHEEL": "", "PIP_FIND_LINKS": str(made.wheel.parent)}
    first = built(made.fork("build", tmp_path / "first", **index))
    for name, edit in EDITS.items():
        files = list(left(made))
        assert any(b"remodlai" in file.read_bytes() for file in files)
        for file in files:
            file.write_bytes(edit(file.read_bytes()))
        assert built(made.fork("build", tmp_path / name, **index)) == first, name


def test_the_name_of_this_platform_s_wheel_leads_nowhere_else(tiny: Callable[..., Tiny], tmp_path: Path) -> None:
    made = tiny()
    index = {"LITELLM_UPSTREAM_WHEEL": "", "PIP_FIND_LINKS": str(made.wheel.parent)}
    first = built(made.fork("build", tmp_path / "first", **index))
    [name] = (made.checkout / "cache").rglob("platform-wheel.txt")
    stranger = made.checkout / "cache" / made.wheel.name
    stranger.write_bytes(b"PK")
    name.write_text(f"../../{stranger.name}")
    assert built(made.fork("build", tmp_path / "second", **index)) == first


def test_a_change_of_the_rules_wires_anew_and_one_of_anything_else_does_not(
    tiny: Callable[..., Tiny], tmp_path: Path
) -> None:
    made = tiny()
    built(made.fork("build", tmp_path / "out"))
    [kept] = [file for file in left(made) if b"remodlai" in file.read_bytes()]
    before = kept.stat().st_ino
    for module in ("backend.py", "wheel.py", "lock.py"):
        (made.checkout / "fork" / module).open("a").write("# no rule\n")
    built(made.fork("build", tmp_path / "out"))
    assert kept.stat().st_ino == before
    (made.checkout / "fork/names.py").open("a").write("# a rule\n")
    built(made.fork("build", tmp_path / "out"))
    assert kept.stat().st_ino != before


CHANGES_WHILE_WIRING = """
_wire = wire


def wire(*arguments, **options):
    wired = _wire(*arguments, **options)
    with open("fork/names.py", "a") as file:
        file.write("# a rule\\n")
    return wired
"""


def test_rules_that_change_while_a_build_wires(tiny: Callable[..., Tiny], tmp_path: Path) -> None:
    """Nothing is kept: the files would be of the rules before, under the name of those after."""
    made = tiny()
    with (made.checkout / "fork/wiring.py").open("a") as file:
        file.write(CHANGES_WHILE_WIRING)
    built(made.fork("build", tmp_path / "out"))
    assert not [file for file in left(made) if b"remodlai" in file.read_bytes()]


def test_what_is_no_rule_is_not_read_by_wiring() -> None:
    """Else a change of it would be built from files wired before."""
    program = (
        "import sys; from fork import wiring; from fork.cached import NO_RULES; wiring.all_rules()\n"
        "files = [m.__file__ for n, m in sys.modules.items() if n.startswith('fork.') and m.__file__]\n"
        "print(sorted(n.rsplit('/', 1)[1] for n in files if n.rsplit('/', 1)[1] in NO_RULES))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    # They give wiring its errors, its tools and its place, and nothing that goes into a file.
    assert done.stdout == "['cached.py', 'lock.py', 'source.py', 'upstream.py']\n"


def test_two_builds_at_once(tiny: Callable[..., Tiny], tmp_path: Path) -> None:
    """Of one checkout, into one folder, from nothing."""
    made = tiny()
    environment = {"LITELLM_UPSTREAM_WHEEL": str(made.wheel), "XDG_CACHE_HOME": str(made.checkout / "cache")}
    command = [sys.executable, "-m", "fork", "build", str(tmp_path / "out")]
    options: dict[str, Any] = {"cwd": made.checkout, "env": {**os.environ, **environment}, "text": True}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    running = [subprocess.Popen(command, **options, **pipes) for _ in range(3)]
    said = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], said
    [wheel] = (tmp_path / "out").iterdir()
    assert {out.strip() for out, _ in said} == {str(wheel)}
    assert wheel.read_bytes() == built(made.fork("build", tmp_path / "again"))


# LibCST, where it is not installed


@pytest.fixture(scope="module")
def libcst() -> Path:
    """LibCST's wheel in the cache; a download where it is not there."""
    done = run(sys.executable, "-c", "from fork.upstream import libcst_wheel; print(libcst_wheel())")
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """An interpreter with no package at all."""
    venv.create(tmp_path / "bare", symlinks=True)
    return tmp_path / "bare/bin/python"


def test_a_build_without_libcst_unpacks_the_locked_wheel(
    tiny: Callable[..., Tiny], tmp_path: Path, bare: Path, libcst: Path
) -> None:
    made = tiny()
    shutil.copytree(libcst.parent, made.checkout / "cache/litellm-remodlai" / libcst.parent.relative_to(cache_dir()))
    done = made.fork("build", tmp_path / "bare-built", python=bare)
    assert built(done) == built(made.fork("build", tmp_path / "built"))
    done = made.fork("audit", python=bare)
    assert done.returncode == 0, done.stderr
    assert done.stdout == made.fork("audit").stdout


def test_another_libcst_in_the_cache_is_refused(tiny: Callable[..., Tiny], tmp_path: Path, bare: Path) -> None:
    made = tiny()
    mark = tmp_path / "executed"
    folder = made.checkout / "cache/litellm-remodlai" / cached_folder()
    folder.mkdir(parents=True)
    write_wheel(folder / "libcst.whl", {"libcst/__init__.py": f"open({str(mark)!r}, 'w').close()\n"}, "1.9.0")
    (folder / "platform-wheel.txt").write_text("libcst.whl")
    done = made.fork("build", tmp_path / "out", python=bare)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {folder / 'libcst.whl'} is not a locked file: fork/libcst.txt does not list")
    assert list((tmp_path / "out").iterdir()) == []
    assert not mark.exists()


def cached_folder() -> Path:
    """Where the cache has LibCST for this interpreter."""
    return libcst_folder().relative_to(cache_dir())


def test_no_libcst_to_be_had(tiny: Callable[..., Tiny], tmp_path: Path, bare: Path) -> None:
    """One line, also where pip is not there to get it."""
    done = tiny().fork("audit", python=bare)
    assert done.returncode == 1
    assert done.stderr == (
        "error: pip is needed to download libcst: install it, or name a wheel with LITELLM_UPSTREAM_WHEEL.\n"
    )
