"""
Packs the fork's wheel: upstream's files, the wired ones in their place, the overlay on top, metadata that says so.

Same input, same bytes: entries keep upstream's order and dates, ours come after them, sorted.
"""

import base64
import csv
import io
import re
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile, ZipInfo

from fork.lock import ForkError, Release
from fork.programs import with_programs
from fork.source import ROOT, overlay_files

PROVIDER = "litellm/llms/remodlai"


def overlay() -> dict[str, bytes]:
    """Returns our files by their path inside LiteLLM."""
    return {path: file.read_bytes() for path, file in overlay_files().items()}


def editable_overlay() -> dict[str, bytes]:
    """Returns the overlay of an editable install: the provider's package looks for its modules in the checkout."""
    package = f"__path__ = [{str(ROOT / PROVIDER)!r}]\n"
    rest = {path: data for path, data in overlay().items() if not path.startswith(f"{PROVIDER}/")}
    return {**rest, f"{PROVIDER}/__init__.py": package.encode()}


def pack(
    upstream: Path, release: Release, wired: Mapping[str, str], added: Mapping[str, bytes], directory: Path
) -> Path:
    """
    Writes the fork's wheel.

    Args:
        upstream: upstream's wheel.
        release: the release it is of.
        wired: text of the changed files, by path.
        added: files to add, by path.
        directory: where the wheel goes.

    Returns:
        Path of the wheel.

    Raises:
        ForkError: the wheel is not a locked one, or a file to add is already in it.
    """
    tag = upstream.name.removesuffix(".whl").split("-", 2)[2]
    name = f"litellm-{release.fork_version}-{tag}.whl"
    with release.opened(upstream) as source:
        if taken := sorted(set(added) & set(source.namelist())):
            raise ForkError(f"upstream already has {', '.join(taken)}: rename ours")
        # Made in a folder of its own: builds may run side by side, and one that fails leaves nothing.
        with tempfile.TemporaryDirectory(dir=directory) as scratch:
            target = Path(scratch, name)
            # Not compressed: it is made for one installation on this machine, and that would be half of a build's time.
            with ZipFile(target, "w") as wheel:
                _pack(source, wheel, release, wired, added)
            return target.replace(directory / name)


def _pack(
    source: ZipFile, wheel: ZipFile, release: Release, wired: Mapping[str, str], added: Mapping[str, bytes]
) -> None:
    old, new = f"litellm-{release.version}.dist-info/", f"litellm-{release.fork_version}.dist-info/"
    record: list[tuple[str, str, str | int]] = []

    def add(info: ZipInfo, data: bytes) -> None:
        wheel.writestr(info, data)
        digest = base64.urlsafe_b64encode(sha256(data).digest()).rstrip(b"=").decode()
        record.append((info.filename, f"sha256={digest}", len(data)))

    for entry in source.infolist():
        path = entry.filename.replace(old, new, 1) if entry.filename.startswith(old) else entry.filename
        if entry.is_dir() or path == f"{new}RECORD":
            continue
        data = wired[path].encode() if path in wired else source.read(entry)
        if path.startswith(new):
            data = _info(path.removeprefix(new), data, release)
        info = ZipInfo(path, entry.date_time)
        info.external_attr = entry.external_attr
        add(info, data)
    ours = {**added, f"{new}licenses/LICENSE-remodlai": (ROOT / "LICENSE").read_bytes()}
    for path, data in sorted(ours.items()):
        add(_entry(path), data)
    record.append((f"{new}RECORD", "", ""))
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows(record)
    wheel.writestr(_entry(f"{new}RECORD"), lines.getvalue())


def _entry(path: str) -> ZipInfo:
    info = ZipInfo(path)  # dated 1980-01-01, the earliest a zip can say
    info.external_attr = 0o100644 << 16
    return info


def _info(name: str, upstream: bytes, release: Release) -> bytes:
    """A file of the `.dist-info`: upstream's, but for the version and the programs."""
    if name == "entry_points.txt":
        return with_programs(name, upstream.decode()).encode()
    return _metadata(upstream, release) if name == "METADATA" else upstream


def _metadata(upstream: bytes, release: Release) -> bytes:
    version = f"\nVersion: {release.fork_version}\n"
    return re.sub(r"\nVersion: .*\n", lambda _: version, upstream.decode(), count=1).encode()


def metadata(upstream: Path, release: Release, directory: Path) -> str:
    """Writes the fork's `.dist-info` without RECORD into `directory` (PEP 517); returns its name."""
    name = f"litellm-{release.fork_version}.dist-info"
    (directory / name).mkdir()
    with release.opened(upstream) as source:
        for file in ("METADATA", "WHEEL", "entry_points.txt"):
            data = source.read(f"litellm-{release.version}.dist-info/{file}")
            (directory / name / file).write_bytes(_info(file, data, release))
    return name
