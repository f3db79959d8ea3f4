"""Pieces of a text replaced at once, each by where it stood before any other was."""

import ast
from collections.abc import Iterable
from typing import Any, NamedTuple


class Splice(NamedTuple):
    """Bytes `start` to `end` of a text become `text`; where they are none, `text` is inserted."""

    start: int
    end: int
    text: str


class Text:
    """A Python source by line, column and byte; columns of a syntax tree count bytes."""

    def __init__(self, source: str) -> None:
        self.data = source.encode()
        self.lines = source.split("\n")
        self._starts = [0]
        for line in self.lines:
            self._starts.append(self._starts[-1] + len(line.encode()) + 1)

    def line(self, number: int) -> str:
        """A line, counted from 1; an empty one beyond the last."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def line_start(self, number: int) -> int:
        return self._starts[number - 1]

    def line_end(self, number: int) -> int:
        """Where a line ends, before its line break."""
        return self._starts[number] - 1

    def start(self, node: Any) -> int:
        return self._starts[node.lineno - 1] + int(node.col_offset)

    def end(self, node: Any) -> int:
        return self._starts[node.end_lineno - 1] + int(node.end_col_offset)

    def between(self, node: ast.AST) -> str:
        """The text of a node."""
        return self.data[self.start(node) : self.end(node)].decode()

    def spliced(self, splices: Iterable[Splice], start: int = 0, end: int | None = None) -> str:
        """
        The text, or a stretch of it, with pieces replaced. Insertions at one place keep their order.

        Raises:
            ValueError: two pieces overlap.
        """
        done: list[bytes] = []
        at = start
        for splice in sorted(splices, key=lambda splice: splice[:2]):
            if splice.start < at:
                raise ValueError(f"two edits change the same code: {splice.text!r}")
            done += [self.data[at : splice.start], splice.text.encode()]
            at = splice.end
        return b"".join([*done, self.data[at:end]]).decode()
