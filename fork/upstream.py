"""
Finds the wheels that a build needs: upstream's, and LibCST's for the wiring. Each is a file that is named, one in the
cache, or one from the index, and none is opened before its sha256 has been compared with the one in this repository.

The cache holds nothing but such wheels, so that whoever can write there cannot change what is built.
"""

import atexit
import importlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Collection
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from fork.lock import ForkError, Release

LIBCST_FILE = Path(__file__).with_name("libcst.txt")
# Says which of a cache folder's wheels is for this platform; only pip can tell.
_CHOSEN = "platform-wheel.txt"


def cache_dir() -> Path:
    """Where downloads are kept: `$XDG_CACHE_HOME` or `~/.cache`, in a folder of ours."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "litellm-remodlai"


def cached_wheel(release: Release) -> Path | None:
    """Returns this platform's wheel where no download is needed, unchecked: the named file, or the cached one."""
    if named := os.environ.get("LITELLM_UPSTREAM_WHEEL"):
        return Path(named)
    return _cached(cache_dir() / release.version)


def upstream_wheel(release: Release) -> Path:
    """
    Returns this platform's wheel of a release: the named file, else as `indexed_wheel`.

    Args:
        release: what the lock says of the release.

    Returns:
        Path of a wheel whose sha256 is the lock's.

    Raises:
        ForkError: there is no such file, it is not the locked one, or it cannot be downloaded.
    """
    named = os.environ.get("LITELLM_UPSTREAM_WHEEL")
    if not named:
        return indexed_wheel(release)
    if not Path(named).is_file():
        raise ForkError(f"LITELLM_UPSTREAM_WHEEL names {named}, which does not exist. Name a wheel or unset it.")
    release.opened(Path(named))
    return Path(named)


def indexed_wheel(release: Release) -> Path:
    """Returns this platform's wheel of a release from the cache, or from the index; raises as `upstream_wheel`."""
    folder = cache_dir() / release.version
    wheel = _cached(folder) or _download("litellm", release.version, release.wheels.values(), folder)
    release.opened(wheel)
    return wheel


def need_libcst() -> None:
    """
    Makes LibCST importable: the one that is installed, if it is the locked release, else one of its locked wheels.

    Raises:
        ForkError: it is in neither the environment nor the cache and cannot be downloaded, or is not the locked file.
    """
    version, hashes = _locked_libcst()
    if "libcst" in sys.modules or _installed("libcst") == version:
        return
    wheel = libcst_wheel()
    data = wheel.read_bytes()
    if (found := sha256(data).hexdigest()) not in hashes:
        raise ForkError(
            f"{wheel} is not a locked file: fork/libcst.txt does not list its sha256, {found}. "
            "Delete it and build again; if the index serves this file, do not use it."
        )
    # Unpacked anew each time: files that lie about are not checked by anybody.
    folder = tempfile.mkdtemp(prefix="litellm-remodlai-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    ZipFile(BytesIO(data)).extractall(folder)
    sys.path.insert(0, folder)
    importlib.invalidate_caches()


def libcst_wheel() -> Path:
    """Returns LibCST's wheel for this interpreter, unchecked, downloading it if it is not in the cache."""
    return cached_libcst() or _download("libcst", *_locked_libcst(), libcst_folder())


def cached_libcst() -> Path | None:
    """Returns that wheel where no download is needed."""
    return _cached(libcst_folder())


def libcst_folder() -> Path:
    """Where the cache keeps it."""
    return cache_dir() / f"libcst-{_locked_libcst()[0]}" / str(sysconfig.get_config_var("SOABI"))


def _locked_libcst() -> tuple[str, list[str]]:
    text = LIBCST_FILE.read_text()
    return re.findall(r"^libcst==(\S+)", text, re.MULTILINE)[0], re.findall(r"--hash=sha256:([0-9a-f]{64})\b", text)


def _installed(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def pip() -> list[str] | None:
    """Returns the command that runs pip, or None. Isolated builds hide the pip that started them; `-I` finds it."""
    for options in ([], ["-I"]):
        command = [sys.executable, *options, "-m", "pip"]
        if subprocess.run([*command, "--version"], capture_output=True, check=False).returncode == 0:
            return command
    return None


def _cached(folder: Path) -> Path | None:
    try:
        name = (folder / _CHOSEN).read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None
    # A name that leads out of the folder, or is none, is as good as no name.
    return next((wheel for wheel in folder.glob("*.whl") if wheel.name == name), None)


def _download(project: str, version: str, hashes: Collection[str], folder: Path) -> Path:
    pip_command = pip()
    if pip_command is None:
        raise ForkError(
            f"pip is needed to download {project}: install it, or name a wheel with LITELLM_UPSTREAM_WHEEL."
        )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        requirements = Path(scratch, "requirements.txt")
        requirements.write_text(f"{project}=={version} {' '.join(f'--hash=sha256:{digest}' for digest in hashes)}\n")
        options = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--disable-pip-version-check", "--quiet"]
        command = [*pip_command, "download", *options, "--dest", scratch, "-r", str(requirements)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(scratch).glob("*.whl"))
        if served := re.search(r"\bGot\s+([0-9a-f]{64})", done.stderr):
            raise ForkError(
                f"the package index serves a {project} {version} that is not the locked one: its sha256 is "
                f"{served[1]}, fork/ says {' or '.join(hashes)}. Do not use that index."
            )
        if done.returncode or len(wheels) != 1:
            said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            raise ForkError(
                f"{project} {version} is not in the cache and could not be downloaded "
                f"({said[-1] if said else 'pip gave no reason'}). Connect to a package index, or name a downloaded "
                "wheel with LITELLM_UPSTREAM_WHEEL."
            )
        wheel = folder / wheels[0].name
        os.replace(wheels[0], wheel)
        # pip chose the wheel that fits this interpreter and platform; the next build need not ask it again.
        Path(scratch, "chosen").write_text(wheel.name)
        os.replace(Path(scratch, "chosen"), folder / _CHOSEN)
    return wheel
