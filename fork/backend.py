"""
The build backend (PEP 517, PEP 660): each hook gets the upstream wheel, wires it and packs it.

pip is needed only where the cache does not already hold what it downloads, so a second build needs no network.
"""

import gzip
import io
import tarfile
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from fork.cached import kept_files, wired_files
from fork.lock import ForkError, release
from fork.source import MANIFEST, ROOT, overlay_files, tree
from fork.upstream import cached_libcst, cached_wheel, libcst_wheel, pip, upstream_wheel
from fork.wheel import editable_overlay, metadata, overlay, pack

Settings = Mapping[str, object] | None
P = ParamSpec("P")
T = TypeVar("T")


def _hook(function: Callable[P, T]) -> Callable[P, T]:
    """Build frontends show the traceback of a hook that raises; a refusal is one line."""

    @wraps(function)
    def hook(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except ForkError as error:
            raise SystemExit(f"error: {error}") from error

    return hook


@_hook
def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    locked = release()
    if cached_wheel(locked) is None and pip() is None:
        return ["pip"]
    # Downloaded here where that is possible, so that a refusal comes before anything is installed for the build.
    wheel = upstream_wheel(locked)
    if kept_files(locked, wheel) is None and cached_libcst() is None:
        if pip() is None:
            return ["pip"]
        libcst_wheel()
    return []


def build(directory: str, added: Mapping[str, bytes]) -> str:
    """
    Builds the wheel of the fork.

    Args:
        directory: where it goes.
        added: the overlay, by path: `overlay()` or `editable_overlay()`.

    Returns:
        Name of the wheel.

    Raises:
        ForkError: upstream's wheel cannot be had or is not the locked one, or the wiring does not explain all of it.
    """
    locked = release()
    wheel = upstream_wheel(locked)
    return pack(wheel, locked, wired_files(locked, wheel), added, Path(directory)).name


@_hook
def build_wheel(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    return build(wheel_directory, overlay())


@_hook
def build_editable(
    wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None
) -> str:
    return build(wheel_directory, editable_overlay())


@_hook
def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: Settings = None) -> str:
    locked = release()
    return metadata(upstream_wheel(locked), locked, Path(metadata_directory))


@_hook
def build_sdist(sdist_directory: str, config_settings: Settings = None) -> str:
    source = tree()
    if source is None:
        raise ForkError("a source distribution holds what git tracks: make it in a clone, or from another one")
    if unknown := sorted(overlay_files().keys() - set(source.files)):
        raise ForkError(f"git does not track {', '.join(unknown)}: add it, or move it away")
    version = release().fork_version
    files = {path: ROOT / path for path in source.files}
    texts = {path: (file.read_bytes(), _mode(file)) for path, file in files.items() if file.is_file()}
    texts["PKG-INFO"] = f"Metadata-Version: 2.1\nName: litellm\nVersion: {version}\n".encode(), 0o644
    texts[MANIFEST] = source.manifest(), 0o644
    name = f"litellm-{version}"
    # Nothing of the machine goes in: the commit's time, no owner, no name of the archive in gzip's header.
    with (
        Path(sdist_directory, f"{name}.tar.gz").open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=source.time) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path, (data, mode) in sorted(texts.items()):
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size, entry.mode, entry.mtime = len(data), mode, source.time
            archive.addfile(entry, io.BytesIO(data))
    return f"{name}.tar.gz"


def _mode(file: Path) -> int:
    return 0o755 if file.stat().st_mode & 0o100 else 0o644


get_requires_for_build_editable = get_requires_for_build_wheel
prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel
