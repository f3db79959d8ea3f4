"""No file of this repository holds upstream's code or text."""

import re
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

RUN = 4  # consecutive lines that, all alike, are a copy
SUFFIXES = (".py", ".md")
# Lines that two authors write alike: imports, what has no word in it, and the interface that an overridden method
# shares with upstream's: its parameters, and arguments handed on under their own names.
TRIVIAL = re.compile(r"(import|from)\b.*|[\W_]*|self,|\w+: [^=]+( = \w+)?,|(\w+)=\3,")


def runs(text: str) -> Iterator[tuple[str, ...]]:
    """Every run of RUN lines, without trivial ones and without differences in whitespace."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    lines = [line for line in lines if not TRIVIAL.fullmatch(line)]
    return zip(*(lines[start:] for start in range(RUN)), strict=False)


def test_no_run_of_lines_is_upstream_s(upstream: Path, snapshot: Path) -> None:
    ours: dict[tuple[str, ...], str] = {}
    for path in sorted(path for path in snapshot.rglob("*") if path.suffix in SUFFIXES):
        ours.update((run, path.relative_to(snapshot).as_posix()) for run in runs(path.read_text()))
    assert len(set(ours.values())) > 50
    found: dict[tuple[str, ...], str] = {}
    with ZipFile(upstream) as archive:
        for name in archive.namelist():
            if name.endswith(SUFFIXES):
                text = archive.read(name).decode(errors="replace")
                found.update((run, f"{ours[run]} and {name}") for run in runs(text) if run in ours)
    assert [f"{where}: {run}" for run, where in found.items()] == []


def test_a_copy_would_be_found() -> None:
    text = "import x\ndef a(\n    self,\n    b: int = 1,\n):\n\n    first = 1\n    call(\n    b=b,\n)\n    return 2\n"
    assert list(runs(text)) == [("def a(", "first = 1", "call(", "return 2")]
