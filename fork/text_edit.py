"""
One explicit edit of upstream: code of ours, at a symbol.

Edits are anchored at a symbol, not at a line, and must find it exactly once.
"""

import ast
from dataclasses import dataclass
from textwrap import indent
from typing import Any

from fork.lock import ForkError


@dataclass(frozen=True)
class Edit:
    """
    One edit of a Python file of upstream: an insertion, but for "body".

    Args:
        name: what the edit is called in the audit.
        path: file, relative to the wheel's root.
        symbol: dotted name of the variable, function or method it is anchored at; `*` stands for any class.
        where: "after" the symbol; "above" it, as its innermost decorator; at its "start", before a function's first
            statement; as its "body", in place of a function's statements; as an "element" of the list, set, tuple or
            dict a variable holds; as an "argument" of the call that a function ends with; or "instead" of an expression
            in it.
        code: what is inserted, unindented.
        reason: why a mechanical twin is not enough.
        moved_to: the file in releases that have moved the symbol there.
        replaces: the expression that `code` stands "instead" of; the symbol must hold it once.
    """

    name: str
    path: str
    symbol: str
    where: str
    code: str
    reason: str
    moved_to: str = ""
    replaces: str = ""

    def applied(self, source: str) -> str:
        """Returns `source` with the edit; raises ForkError where the symbol is not there once, or has no such place."""
        nodes = _find(ast.parse(source), self.symbol.split("."))
        if len(nodes) != 1:
            raise ForkError(f"{self.path}: edit '{self.name}' found `{self.symbol}` {len(nodes)} times, not once")
        if self.where == "instead":
            return self._replaced(source, nodes[0])
        try:
            line, column = self._place(nodes[0])
        except (AttributeError, IndexError, StopIteration, TypeError) as error:
            raise ForkError(f"{self.path}: edit '{self.name}' found no {self.where} in `{self.symbol}`") from error
        lines = source.split("\n")
        lines[line : nodes[0].end_lineno if self.where == "body" else line] = [indent(self.code, " " * column)]
        return "\n".join(lines)

    def _replaced(self, source: str, node: Any) -> str:
        wanted = ast.dump(ast.parse(self.replaces, mode="eval").body)
        found: list[Any] = [part for part in ast.walk(node) if isinstance(part, ast.expr) and ast.dump(part) == wanted]
        if len(found) != 1:
            raise ForkError(f"{self.path}: edit '{self.name}' found `{self.replaces}` {len(found)} times, not once")
        (old,) = found
        lines = source.encode().split(b"\n")  # columns of the syntax tree count bytes
        end = lines[old.end_lineno - 1][old.end_col_offset :]
        lines[old.lineno - 1 : old.end_lineno] = [lines[old.lineno - 1][: old.col_offset] + self.code.encode() + end]
        return b"\n".join(lines).decode()

    def _place(self, node: Any) -> tuple[int, int]:
        if self.where == "after":
            return node.end_lineno, node.col_offset
        if self.where == "above":
            return node.lineno - 1, node.col_offset
        if self.where == "element":
            kinds = ast.Tuple | ast.Set | ast.List | ast.Dict
            container = next(part for part in ast.walk(node.value) if isinstance(part, kinds))
            first: Any = (container.keys if isinstance(container, ast.Dict) else container.elts)[0]
            return first.lineno - 1, first.col_offset
        if self.where == "argument":
            first = node.body[-1].value.keywords[0].value
            return first.lineno - 1, node.body[-1].col_offset + 4
        first = node.body[1] if ast.get_docstring(node) is not None else node.body[0]
        return first.lineno - 1, first.col_offset


def _find(node: Any, path: list[str]) -> list[Any]:
    # Inside a function, a variable may be set in any block.
    statements = ast.walk(node) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else node.body
    any_class = path[0] == "*"
    found = [child for child in statements if path[0] in _names(child) or any_class and isinstance(child, ast.ClassDef)]
    return found if len(path) == 1 else [match for child in found for match in _find(child, path[1:])]


def _names(node: Any) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        overload = any(isinstance(mark, ast.Name) and mark.id == "overload" for mark in node.decorator_list)
        return [] if overload else [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]
