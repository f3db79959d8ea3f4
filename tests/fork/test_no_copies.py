"""No file of this repository holds upstream's code or text."""

import re
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

from .conftest import copy_checkout

RUN = 4  # consecutive lines that, all alike, are a copy
SUFFIXES = (".py", ".md")
# Lines that two authors write alike: imports and whatever has no word in it.
TRIVIAL = re.compile(r"(import|from)\b.*|[\W_]*")


def runs(text: str) -> Iterator[tuple[str, ...]]:
    """Every run of RUN lines, without trivial ones and without differences in whitespace."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    lines = [line for line in lines if not TRIVIAL.fullmatch(line)]
    return zip(*(lines[start:] for start in range(RUN)), strict=False)


def test_no_run_of_lines_is_upstream_s(upstream: Path, tmp_path: Path) -> None:
    checkout = copy_checkout(tmp_path / "checkout")
    ours: dict[tuple[str, ...], str] = {}
    for path in sorted(path for path in checkout.rglob("*") if path.suffix in SUFFIXES):
        ours.update((run, path.relative_to(checkout).as_posix()) for run in runs(path.read_text()))
    assert len(set(ours.values())) > 50
    found: dict[tuple[str, ...], str] = {}
    with ZipFile(upstream) as archive:
        for name in archive.namelist():
            if name.endswith(SUFFIXES):
                text = archive.read(name).decode(errors="replace")
                found.update((run, f"{ours[run]} and {name}") for run in runs(text) if run in ours)
    assert [f"{where}: {run}" for run, where in found.items()] == []


def test_a_copy_would_be_found() -> None:
    text = "import x\ndef a():\n    first = 1\n\n    )\n    second = 2\n    return first\n"
    assert list(runs(text)) == [("def a():", "first = 1", "second = 2", "return first")]
