"""What the tests of the fork share: the pinned release, wired and built once, and a small release made up here."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from hashlib import sha256
from io import StringIO
from pathlib import Path
from zipfile import ZipFile

import pytest

from fork.__main__ import main
from fork.lock import LOCK_FILE, Release, release
from fork.source import MANIFEST, ROOT, local_version, tree
from fork.upstream import upstream_wheel
from fork.wiring import Wired, wire

# What a checkout holds besides the repository's own files.
_PRODUCTS = (".git", ".venv", "build", "dist", "*.egg-info", "__pycache__", "*.pyc", ".*_cache", ".hypothesis")

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def run(*command: str | Path, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs a command. It may reach the package index, as the build's download does, unless `LOOPBACK_ONLY` says no."""
    environment = {**os.environ, "LOOPBACK_ONLY": "0", **env}
    return subprocess.run([*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def fork(
    *arguments: str | Path, cwd: Path = ROOT, python: str | Path = sys.executable, **env: str
) -> subprocess.CompletedProcess[str]:
    """Runs `python -m fork`, the one of the checkout `cwd`."""
    return run(python, "-m", "fork", *arguments, cwd=cwd, **env)


def copy_checkout(source: Path, target: Path) -> Path:
    """Copies a checkout as a fresh clone would be, with whatever is not committed yet, and the files wired before."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*_PRODUCTS))
    if (source / "build/wired").is_dir():
        shutil.copytree(source / "build/wired", target / "build/wired")
    return target


def git(directory: Path, *arguments: str, **env: str) -> str:
    """Runs git there, as somebody; returns what it prints."""
    identity = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false"]
    done = run("git", *identity, *arguments, cwd=directory, **env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def committed(checkout: Path) -> Path:
    """Makes a checkout a repository with one commit of all that is in it."""
    git(checkout, "init", "--quiet")
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message", "everything")
    return checkout


@pytest.fixture(scope="session")
def locked(snapshot: Path) -> Release:
    revision = json.loads(LOCK_FILE.read_text())["revision"]
    return replace(release(), local=local_version(revision, snapshot))


@dataclass(frozen=True)
class Audit:
    """What `python -m fork audit` does and says, and what it wired: nothing where there is no wheel."""

    returncode: int
    stdout: str
    stderr: str
    wired: list[Wired]


def audit(version: str) -> Audit:
    """Audits a release in this process: wiring takes ten seconds, and the tests look at what came of it as well."""
    kept: list[Wired] = []

    def recorded(archive: ZipFile, rules: Iterable[str]) -> Wired:
        kept.append(wire(archive, rules))
        return kept[-1]

    out, err = StringIO(), StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setenv("LITELLM_UPSTREAM", version)
        patch.setenv("LOOPBACK_ONLY", "0")  # pip, which downloads
        patch.setattr("fork.__main__.wire", recorded)
        returncode = main(["audit"])
    return Audit(returncode, out.getvalue(), err.getvalue(), kept)


@pytest.fixture(scope="session")
def audited(locked: Release) -> Audit:
    """The pinned release's."""
    return audit(locked.version)


@pytest.fixture(scope="session")
def upstream(audited: Audit, locked: Release) -> Path:
    """Upstream's wheel."""
    assert audited.returncode == 0, audited.stderr
    return upstream_wheel(locked)


@pytest.fixture(scope="session")
def wired(audited: Audit) -> Wired:
    """What the wiring makes of the pinned release."""
    return audited.wired[0]


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This checkout as it was when the tests began, of the same commit: nobody edits it while they run."""
    copy = copy_checkout(ROOT, tmp_path_factory.mktemp("snapshot") / "checkout")
    if source := tree():
        (copy / MANIFEST).write_bytes(source.manifest())
    return copy


@pytest.fixture(scope="session")
def built(upstream: Path, snapshot: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fork's wheel."""
    done = fork("build", tmp_path_factory.mktemp("built"), cwd=snapshot)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def unpacked(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory from which the fork can be imported."""
    directory = tmp_path_factory.mktemp("unpacked")
    with ZipFile(built) as archive:
        archive.extractall(directory)
    return directory


@dataclass(frozen=True)
class Tiny:
    """A checkout whose lock lists one small upstream wheel, made up here."""

    checkout: Path
    wheel: Path
    version: str

    def fork(
        self, *arguments: str | Path, python: str | Path = sys.executable, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs the checkout's `python -m fork`, with a cache of its own and no package index."""
        cache = {"XDG_CACHE_HOME": str(self.checkout / "cache"), "LOOPBACK_ONLY": "1", "PIP_NO_INDEX": "1"}
        cache["PIP_FIND_LINKS"] = str(self.checkout / "no-index")
        named = {"LITELLM_UPSTREAM_WHEEL": str(self.wheel)}
        return fork(*arguments, cwd=self.checkout, python=python, **{**cache, **named, **env})


TINY_FILES = {
    "litellm/__init__.py": "",
    "litellm/providers.py": 'PROVIDERS = ["openai", "hosted_vllm"]\n',
    "litellm/llms/hosted_vllm/__init__.py": "",
}


@pytest.fixture
def tiny(tmp_path: Path, locked: Release) -> Callable[..., Tiny]:
    """Makes a `Tiny`; its wheel holds TINY_FILES and the files given by path."""

    def make(files: dict[str, str] | None = None) -> Tiny:
        checkout = tmp_path / "tiny"
        for name in ("fork", "litellm"):
            shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns(*_PRODUCTS))
        for name in ("pyproject.toml", "LICENSE"):
            shutil.copy(ROOT / name, checkout)
        # It has none of the files that are edited, and a wheel for every platform.
        for edit in (checkout / "fork/edits").glob("[!_]*.py"):
            edit.unlink()
        for module, line in {"lock.py": "PLATFORMS = PLATFORMS[:1]"}.items():
            with (checkout / "fork" / module).open("a") as file:
                file.write(f"\n{line}\n")
        wheel = tmp_path / f"litellm-{locked.version}-py3-none-any.whl"
        write_wheel(wheel, {**TINY_FILES, **(files or {})}, locked.version)
        write_lock(checkout, wheel, locked.version)
        return Tiny(checkout, wheel, locked.version)

    return make


def write_wheel(
    wheel: Path, files: dict[str, str], version: str, name: str = "litellm", proxy: Sequence[str] = ()
) -> None:
    """Writes a wheel; `proxy` is what its extra of that name asks for."""
    info = f"{name}-{version}.dist-info"
    asked = "".join(f"Requires-Dist: {requirement} extra == 'proxy'\n" for requirement in proxy)
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: proxy\n{asked}"
    metadata = {
        f"{info}/METADATA": f"{head}\nVersion: 1 is old.\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nlitellm = litellm:run\n",
        f"{info}/RECORD": "",
    }
    with ZipFile(wheel, "w") as archive:
        for path, text in {**files, **metadata}.items():
            archive.writestr(path, text)


def write_lock(checkout: Path, wheel: Path, version: str) -> None:
    digest = sha256(wheel.read_bytes()).hexdigest()
    lock = f'{{"pin": "{version}", "revision": 1, "releases": {{"{version}": {{"{wheel.name}": "{digest}"}}}}}}\n'
    (checkout / "fork/lock.json").write_text(lock)
