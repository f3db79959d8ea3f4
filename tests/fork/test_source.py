"""A tree says which commit it is, and which files belong to it; in its version, and in a source distribution."""

import os
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.version import Version

from fork.source import local_version

from .conftest import Tiny, committed, git, needs_git, run

pytestmark = needs_git


@pytest.fixture
def clone(tiny: Callable[..., Tiny]) -> Tiny:
    """A small checkout with one commit and an ignored kind of settings."""
    made = tiny()
    (made.checkout / ".gitignore").write_text("__pycache__/\n/build/\n/cache/\n")
    deploy = made.checkout / "docs/deploy"
    deploy.mkdir(parents=True)
    (deploy / "proxy.env.example").write_text("KEY=\n")
    (deploy / ".gitignore").write_text("*.env\n")
    committed(made.checkout)
    return made


def version(checkout: Path) -> str:
    return local_version(1, checkout)


def commit(checkout: Path, time: str = "2030-01-02T03:04:05+0100") -> str:
    git(checkout, "commit", "--quiet", "--all", "--allow-empty", "--message", "next", GIT_COMMITTER_DATE=time)
    return git(checkout, "rev-parse", "HEAD")[:10]


def test_each_commit_has_a_version_of_its_own(clone: Tiny) -> None:
    """One that changes nothing in the wheel, too; and the later one is the greater one."""
    first = version(clone.checkout)
    with (clone.checkout / "litellm/llms/remodlai/common_utils.py").open("a") as module:
        module.write("ADDED = 1\n")
    second_name = commit(clone.checkout)
    second = version(clone.checkout)
    third_name = commit(clone.checkout, "2030-01-02T03:04:06+0100")
    third = version(clone.checkout)
    assert [second, third] == [f"remodlai.1.20300102020405.g{second_name}", f"remodlai.1.20300102020406.g{third_name}"]
    assert Version("1") < Version(f"1+{first}") < Version(f"1+{second}") < Version(f"1+{third}")
    done = clone.fork("build", clone.checkout.with_name("out"))
    assert f"-{clone.version}+{third}-" in done.stdout, done.stderr


def test_a_commit_has_one_version(clone: Tiny, tmp_path: Path) -> None:
    """In a shallow clone, in another clone with other times, as another user's files, and in git's own environment."""
    commit(clone.checkout)
    expected = version(clone.checkout)
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", clone.checkout.as_uri(), str(shallow))
    assert version(shallow) == expected
    for path in shallow.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    assert version(shallow) == expected
    done = run(
        sys.executable, "-c", "from fork.source import local_version; print(local_version(1))",
        cwd=shallow, GIT_DIR=str(tmp_path / "nowhere"), TZ="Asia/Tokyo", GIT_TEST_ASSUME_DIFFERENT_OWNER="1",
    )  # fmt: skip
    assert done.stdout.strip() == expected, done.stderr


@pytest.mark.parametrize(
    "path", ["litellm/llms/remodlai/common_utils.py", "litellm/llms/remodlai/new.py", "fork/new.py"]
)
def test_a_changed_tree_is_not_taken_for_its_commit(clone: Tiny, path: str) -> None:
    clean = version(clone.checkout)
    seen = {clean}
    for line in ("A = 1\n", "A = 2\n"):
        (clone.checkout / path).open("a").write(line)
        changed = version(clone.checkout)
        assert changed.startswith(f"{clean}.d")
        seen.add(changed)
    assert len(seen) == 3
    git(clone.checkout, "checkout", "--quiet", ".")
    git(clone.checkout, "clean", "--quiet", "--force", "litellm", "fork")
    assert version(clone.checkout) == clean


def test_a_tree_without_git_is_named_by_its_content(clone: Tiny, tmp_path: Path) -> None:
    """As in an image that is built from a copy. A clone that it lies in is not its own."""
    git(clone.checkout, "archive", "--format=tar", "--output", str(tmp_path / "archive.tar"), "HEAD")
    names = []
    for folder in (tmp_path / "one", clone.checkout / "build/two"):
        with tarfile.open(tmp_path / "archive.tar") as archive:
            archive.extractall(folder)
        names.append(local_version(1, folder))
    assert names[0] == names[1] and names[0].startswith("remodlai.1.d")
    (tmp_path / "one/litellm/llms/remodlai/common_utils.py").write_text("")
    assert local_version(1, tmp_path / "one") != names[0]


def sdist(checkout: Path, directory: Path) -> Path:
    """The source distribution as a frontend gets it, unpacked."""
    directory.mkdir()
    done = run(sys.executable, "-c", f"from fork import backend; backend.build_sdist({str(directory)!r})", cwd=checkout)
    assert done.returncode == 0, done.stderr
    [file] = directory.iterdir()
    with tarfile.open(file) as archive:
        assert all(entry.name.startswith(file.name.removesuffix(".tar.gz") + "/") for entry in archive)
        archive.extractall(directory)
    return directory / file.name.removesuffix(".tar.gz")


def files(directory: Path) -> set[str]:
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}


SECRETS = ("docs/deploy/proxy.env", "docs/deploy/notes.txt", "litellm/.env", "litellm/llms/remodlai/keys.env", ".env")


def fill_in(checkout: Path) -> None:
    for path in SECRETS:
        (checkout / path).write_text("KEY=sk-secret\n")


def test_a_source_distribution_holds_what_git_tracks(clone: Tiny, tmp_path: Path) -> None:
    tracked = set(git(clone.checkout, "ls-files").split())
    fill_in(clone.checkout)
    unpacked = sdist(clone.checkout, tmp_path / "sdist")
    assert files(unpacked) == tracked | {"PKG-INFO", "MANIFEST.json"}

    # And one made of it, again with secrets filled in, holds the same.
    fill_in(unpacked)
    assert files(sdist(unpacked, tmp_path / "again")) == tracked | {"PKG-INFO", "MANIFEST.json"}


def test_a_wheel_holds_no_settings(clone: Tiny, tmp_path: Path) -> None:
    fill_in(clone.checkout)
    done = clone.fork("build", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    with ZipFile(done.stdout.strip()) as wheel:
        assert not [path for path in wheel.namelist() if ".env" in path or b"sk-secret" in wheel.read(path)]


def test_a_source_distribution_carries_its_commit(clone: Tiny, tmp_path: Path) -> None:
    expected = version(clone.checkout)
    unpacked = sdist(clone.checkout, tmp_path / "sdist")
    assert unpacked.name == f"litellm-{clone.version}+{expected}"
    assert f"\nVersion: {clone.version}+{expected}\n" in (unpacked / "PKG-INFO").read_text()
    assert version(unpacked) == expected
    (unpacked / "fork/names.py").open("a").write("# changed\n")
    assert version(unpacked).startswith(f"{expected}.d")


def test_a_source_distribution_of_a_changed_tree_says_so(clone: Tiny, tmp_path: Path) -> None:
    (clone.checkout / "fork/names.py").open("a").write("# changed\n")
    expected = version(clone.checkout)
    assert ".d" in expected
    unpacked = sdist(clone.checkout, tmp_path / "sdist")
    assert (unpacked.name, version(unpacked)) == (f"litellm-{clone.version}+{expected}", expected)


def test_a_commit_has_one_source_distribution(clone: Tiny, tmp_path: Path) -> None:
    """The same bytes, whoever makes it and when."""
    first = sdist(clone.checkout, tmp_path / "first").with_suffix(".gz")
    for path in clone.checkout.rglob("*.py"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    sdist(clone.checkout, tmp_path / "second")
    [one], [two] = ((tmp_path / name).glob("*.tar.gz") for name in ("first", "second"))
    assert one.name == two.name and one.read_bytes() == two.read_bytes(), first


@pytest.mark.parametrize(
    ("why", "message"),
    [
        ("no git", "error: a source distribution holds what git tracks: make it in a clone, or from another one\n"),
        ("untracked", "error: git does not track litellm/llms/remodlai/new.py: add it, or move it away\n"),
    ],
)
def test_a_source_distribution_that_would_not_be_whole_is_refused(
    clone: Tiny, tmp_path: Path, why: str, message: str
) -> None:
    if why == "no git":
        (clone.checkout / ".git").rename(tmp_path / "away")
    else:
        (clone.checkout / "litellm/llms/remodlai/new.py").touch()
    program = f"from fork import backend; backend.build_sdist({str(tmp_path)!r})"
    done = run(sys.executable, "-c", program, cwd=clone.checkout)
    assert (done.returncode, done.stderr) == (1, message)
    assert not list(tmp_path.glob("*.tar.gz"))
