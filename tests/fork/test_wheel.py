"""The fork's wheel: the same bytes from the same commit, and nothing in it but upstream, the wiring and the overlay."""

import base64
import csv
import io
import os
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import pytest

from fork.lock import ForkError, Release
from fork.programs import PROGRAMS, with_programs
from fork.source import ROOT, local_version
from fork.wheel import metadata, pack
from fork.wiring import Wired

from .conftest import Tiny, copy_checkout, fork, run


def test_another_checkout_builds_the_same_bytes(built: Path, snapshot: Path, tmp_path: Path) -> None:
    """With other times on its files, and under another umask."""
    checkout = copy_checkout(snapshot, tmp_path / "elsewhere")
    for path in checkout.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    command = f'umask 077; "{sys.executable}" -m fork build "{tmp_path / "out"}"'
    done = run("sh", "-c", command, cwd=checkout)
    assert done.returncode == 0, done.stderr
    wheel = tmp_path / "out" / built.name
    assert list((tmp_path / "out").iterdir()) == [wheel]
    assert sha256(wheel.read_bytes()).hexdigest() == sha256(built.read_bytes()).hexdigest()


def test_a_second_build_writes_the_same_bytes(tiny: Callable[..., Tiny], tmp_path: Path) -> None:
    """Wired anew and from the cache."""
    made = tiny()
    wheels = []
    for directory in ("one", "two"):
        done = made.fork("build", tmp_path / directory)
        assert done.returncode == 0, done.stderr
        wheels.append(Path(done.stdout.strip()).read_bytes())
    assert wheels[0] == wheels[1]


def _dist_info(archive: ZipFile) -> str:
    [name] = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
    return name


@pytest.fixture(scope="module")
def overlay(snapshot: Path) -> dict[str, bytes]:
    """Our files, by their path inside LiteLLM."""
    files = [path for path in (snapshot / "litellm").rglob("*") if path.is_file()]
    assert snapshot / "litellm/llms/remodlai/common_utils.py" in files
    return {path.relative_to(snapshot).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def files(built: Path) -> dict[str, tuple[ZipInfo, bytes]]:
    with ZipFile(built) as archive:
        assert archive.testzip() is None
        return {info.filename: (info, archive.read(info)) for info in archive.infolist()}


def test_file_by_file_nothing_differs_but_wiring_overlay_and_metadata(
    files: dict[str, tuple[ZipInfo, bytes]], overlay: dict[str, bytes], upstream: Path, wired: Wired, locked: Release
) -> None:
    own = f"litellm-{locked.fork_version}.dist-info/"
    expected = {path: text.encode() for path, text in wired.files.items()} | overlay
    with ZipFile(upstream) as archive:
        theirs = f"{_dist_info(archive)}/"
        for entry in archive.infolist():
            if entry.filename.startswith(theirs) or entry.is_dir():
                continue
            info, data = files[entry.filename]
            before = archive.read(entry)
            assert data == expected.pop(entry.filename, before), entry.filename
            assert (data != before) == (entry.filename in wired.files), entry.filename
            assert (info.date_time, info.external_attr) == (entry.date_time, entry.external_attr), entry.filename
        added = {name for name in files if not name.startswith(own)} - set(archive.namelist())
        metadata_files = {name.removeprefix(theirs) for name in archive.namelist() if name.startswith(theirs)}
    assert added == set(expected) == set(overlay)
    assert all(files[path][1] == data for path, data in expected.items())
    assert {name.removeprefix(own) for name in files if name.startswith(own)} == {
        *metadata_files,
        "licenses/LICENSE-remodlai",
    }


def test_record_lists_every_file_with_its_hash(files: dict[str, tuple[ZipInfo, bytes]], locked: Release) -> None:
    name = f"litellm-{locked.fork_version}.dist-info/RECORD"
    rows = list(csv.reader(io.StringIO(files[name][1].decode())))
    assert [row[0] for row in rows] == list(files)
    for path, digest, size in rows:
        if path == name:
            assert (digest, size) == ("", "")
            continue
        data = files[path][1]
        assert digest == "sha256=" + base64.urlsafe_b64encode(sha256(data).digest()).rstrip(b"=").decode()
        assert int(size) == len(data)


def test_metadata_is_upstream_s_but_for_the_version(
    files: dict[str, tuple[ZipInfo, bytes]], upstream: Path, locked: Release
) -> None:
    own = f"litellm-{locked.fork_version}.dist-info/"
    with ZipFile(upstream) as archive:
        theirs = f"{_dist_info(archive)}/"
        for name in archive.namelist():
            if name.startswith(theirs) and not name.endswith(("/RECORD", "/METADATA", "/entry_points.txt")):
                assert files[own + name.removeprefix(theirs)][1] == archive.read(name)
        before = archive.read(f"{theirs}METADATA").decode().split("\n")
        programs = archive.read(f"{theirs}entry_points.txt").decode().split("\n")
    after = files[f"{own}METADATA"][1].decode().split("\n")
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert changed == [(f"Version: {locked.version}", f"Version: {locked.fork_version}")]
    with_ours = files[f"{own}entry_points.txt"][1].decode().split("\n")
    assert [line for line in with_ours if line not in programs] == ["lexiq-nova=litellm.llms.remodlai.__main__:main"]
    assert [line for line in with_ours if line in programs] == programs
    assert with_ours.index("[console_scripts]") + 1 == with_ours.index(f"lexiq-nova={PROGRAMS['lexiq-nova']}")


@pytest.mark.parametrize("path", ["entry_points.txt", "pyproject.toml"])
@pytest.mark.parametrize(
    "text",
    ["[gui_scripts]\n", "[console_scripts]\nlexiq-nova = other:main\n", "[console_scripts]\n[project.scripts]\n"],
)
def test_programs_that_have_no_place_are_refused(path: str, text: str) -> None:
    with pytest.raises(ForkError, match=path):
        with_programs(path, text)


def test_the_tag_is_upstream_s(built: Path, upstream: Path, locked: Release) -> None:
    assert built.name == upstream.name.replace(locked.version, locked.fork_version, 1)


def test_both_licences_are_inside(files: dict[str, tuple[ZipInfo, bytes]], locked: Release) -> None:
    licenses = f"litellm-{locked.fork_version}.dist-info/licenses/"
    assert files[f"{licenses}LICENSE-remodlai"][1] == (ROOT / "LICENSE").read_bytes()
    theirs = [name for name in files if name.startswith(licenses) and name != f"{licenses}LICENSE-remodlai"]
    assert theirs and all(b"Berri AI" in files[name][1] or b"MIT" in files[name][1] for name in theirs)


def test_prepared_metadata_is_the_wheel_s(
    files: dict[str, tuple[ZipInfo, bytes]], upstream: Path, locked: Release, tmp_path: Path
) -> None:
    """PEP 517 lets a frontend ask for the metadata alone."""
    name = metadata(upstream, locked, tmp_path)
    prepared = {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
    assert prepared == {file: files[f"{name}/{file}"][1] for file in ("METADATA", "WHEEL", "entry_points.txt")}


def test_an_overlay_file_that_upstream_has_is_refused(tiny: Callable[..., Tiny], tmp_path: Path) -> None:
    made = tiny()
    digest = sha256(made.wheel.read_bytes()).hexdigest()
    release = Release(made.version, "remodlai.1", {made.wheel.name: digest})
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(ForkError, match=r"upstream already has litellm/providers\.py: rename ours"):
        pack(made.wheel, release, {}, {"litellm/providers.py": b""}, out)
    assert list(out.iterdir()) == []


def test_only_the_version_field_changes(tiny: Callable[..., Tiny], tmp_path: Path) -> None:
    """Not a line of the description that looks like it."""
    made = tiny()
    done = made.fork("build", tmp_path)
    assert done.returncode == 0, done.stderr
    with ZipFile(done.stdout.strip()) as archive:
        text = archive.read(f"{_dist_info(archive)}/METADATA").decode()
    version = f"{made.version}+{local_version(1, made.checkout)}"
    head, description = text.split("\n\n", 1)
    assert f"Version: {version}" in head.splitlines() and description == "Version: 1 is old.\n"


def test_the_named_wheel_is_built_from(upstream: Path, snapshot: Path, built: Path, tmp_path: Path) -> None:
    """LITELLM_UPSTREAM_WHEEL, where the index is out of reach."""
    offline = {"PIP_NO_INDEX": "1", "LOOPBACK_ONLY": "1"}
    done = fork("build", tmp_path, cwd=snapshot, LITELLM_UPSTREAM_WHEEL=str(upstream), **offline)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).read_bytes() == built.read_bytes()
