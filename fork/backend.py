"""
The build backend (PEP 517, PEP 660): each hook gets the upstream wheel, wires it and packs it.

LibCST and pip are needed only where the cache does not already hold their work, so a second build needs no network.
"""

import io
import tarfile
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from fork.lock import ForkError, release
from fork.upstream import cached_wheel, pip, upstream_wheel
from fork.wheel import ROOT, editable_overlay, metadata, overlay, pack
from fork.wiring import cached_wiring, wiring_cache

Settings = Mapping[str, object] | None
P = ParamSpec("P")
T = TypeVar("T")

# Reads and writes Python with its formatting and comments; fork/twins is built on it.
LIBCST = "libcst==1.9.0"
# What a source distribution holds: everything a build of the wheel reads, and the texts.
_SOURCES = ("fork", "litellm", "tests", "docs", "pyproject.toml", "LICENSE", "README.md", "LEXIQ_NOVA_INTEGRATION.md")


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
        return ["pip", LIBCST]
    # Downloaded here where that is possible, so that a refusal comes before anything is installed for the build.
    wheel = upstream_wheel(locked)
    return [] if wiring_cache(locked.wheels[wheel.name]).is_file() else [LIBCST]


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
    wired = cached_wiring(wheel, locked.wheels[wheel.name])
    wired.check()
    return pack(wheel, locked, wired.files, added, Path(directory)).name


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
    name = f"litellm-{release().fork_version}"
    info = f"Metadata-Version: 2.1\nName: litellm\nVersion: {release().fork_version}\n".encode()
    files = [path for source in _SOURCES for path in sorted([ROOT / source, *(ROOT / source).rglob("*")])]
    with tarfile.open(Path(sdist_directory, f"{name}.tar.gz"), "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for path in files:
            if path.is_file() and path.suffix != ".pyc":
                archive.add(path, f"{name}/{path.relative_to(ROOT)}", recursive=False)
        entry = tarfile.TarInfo(f"{name}/PKG-INFO")
        entry.size = len(info)
        archive.addfile(entry, io.BytesIO(info))
    return f"{name}.tar.gz"


get_requires_for_build_editable = get_requires_for_build_wheel
prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel
