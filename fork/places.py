"""
Where the code of an edit goes in a file of upstream: every change is found in the same text, and all are made at once.

A place is found by symbol or by syntax, never by line, and must be there exactly once.
"""

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fork.edit import Change, Code, first_line
from fork.imports import import_splices
from fork.lock import ForkError
from fork.splice import Splice, Text

Container = ast.List | ast.Tuple | ast.Set | ast.Dict


class NoPlace(ForkError):
    """A change has no place, or more than one, in a file."""


@dataclass
class File:
    """
    One file of upstream while it is edited.

    Args:
        path: relative to the wheel's root.
        source: its text.
    """

    path: str
    source: str

    def __post_init__(self) -> None:
        self.text = Text(self.source)
        self.tree = ast.parse(self.source)

    def splices(self, change: Change) -> list[Splice]:
        """
        What a change makes of the text.

        Raises:
            NoPlace: what it is anchored at is not there once.
        """
        nodes: list[Any] = _find(self.tree, change.symbol.split(".")) if change.symbol else [self.tree]
        if len(nodes) != 1:
            raise NoPlace(f"{self.path}: `{change.symbol}` is there {len(nodes)} times, not once")
        try:
            return list(getattr(self, f"_{change.how}")(nodes[0], change))
        except (AttributeError, IndexError, TypeError) as error:
            raise NoPlace(f"{self.path}: `{change.symbol}` has no {change.how}") from error

    def edited(self, changes: Iterable[tuple[Change, Sequence[Splice]]]) -> str:
        """The text with changes made, and with the imports that they need."""
        made = list(changes)
        needed = {name: source for change, _ in made for name, source in change.code.needed().items()}
        splices = [splice for _, each in made for splice in each]
        return self.text.spliced([*import_splices(self.text, self.tree, needed), *splices])

    # Places

    def _after(self, node: Any, change: Change) -> Iterator[Splice]:
        lines = _indented(change.code.lines(), node.col_offset)
        end = self.text.line_end(node.end_lineno)
        # Empty lines around definitions, as formatters set them.
        blank = 1 if node.col_offset else 2
        before = blank if _is_definition(node) or _defines(change.code) else 0
        after = blank if _defines(change.code) and self._follows(node.end_lineno, blank) else 0
        yield Splice(end, end, "\n" * (before + 1) + "\n".join(lines) + "\n" * after)

    def _follows(self, line: int, count: int) -> bool:
        """Whether code stands in the lines below a line."""
        return any(self.text.line(line + each).strip() for each in range(1, count + 1))

    def _start(self, node: Any, change: Change) -> Iterator[Splice]:
        first = node.body[1] if ast.get_docstring(node) is not None else node.body[0]
        line = first_line(first)
        while self.text.line(line - 1).lstrip().startswith("#"):
            line -= 1
        at = self.text.line_start(line)
        yield Splice(at, at, "\n".join(_indented(change.code.lines(), first.col_offset)) + "\n")

    def _body(self, node: Any, change: Change) -> Iterator[Splice]:
        first = node.body[1] if ast.get_docstring(node) is not None else node.body[0]
        start, end = self.text.line_start(first_line(first)), self.text.line_end(node.end_lineno)
        yield Splice(start, end, "\n".join(_indented(change.code.lines(), first.col_offset)))

    def _decorator(self, node: Any, change: Change) -> Iterator[Splice]:
        at = self.text.line_start(node.lineno)
        assert change.code.expression is not None
        yield Splice(at, at, f"{' ' * node.col_offset}@{change.code.text(change.code.expression)}\n")

    def _element(self, node: Any, change: Change) -> Iterator[Splice]:
        ours = change.code.expression
        holders = [part for part in ast.walk(node.value) if isinstance(part, Container)]
        container = [each for each in holders if isinstance(each, ast.Dict) == isinstance(ours, ast.Dict)][0]
        texts = _elements(change.code, ours)
        ends: list[Any] = container.values if isinstance(container, ast.Dict) else container.elts
        starts: list[Any] = container.keys if isinstance(container, ast.Dict) else container.elts
        beside = [n for n, each in enumerate(starts) if isinstance(each, ast.Constant) and each.value == change.beside]
        place = (beside if change.beside else [len(starts) - 1])[0]
        end = self.text.end(ends[place])
        multiline = starts[place].lineno != container.lineno
        separator = f",\n{' ' * starts[place].col_offset}" if multiline else ", "
        # The comma behind the element that is there stays where it is: behind the last of ours.
        yield Splice(end, end, "".join(separator + text for text in texts))

    def _instead(self, node: Any, change: Change) -> Iterator[Splice]:
        assert change.old is not None
        if change.old.expression is not None and change.code.expression is not None:
            found = [
                (part, captured)
                for part in ast.walk(node)
                if isinstance(part, ast.expr)
                and (captured := _matched(change.old.expression, part, change.old.parts)) is not None
            ]
            (old, captured) = self._only(found, change)
            new = self._filled(change.code, change.code.expression, captured)
            yield Splice(self.text.start(old), self.text.end(old), new)
            return
        wanted = change.old.body
        runs = [
            (body[start : start + len(wanted)], captured)
            for body in _bodies(node)
            for start in range(len(body) - len(wanted) + 1)
            if (captured := _matched(wanted, body[start : start + len(wanted)], change.old.parts)) is not None
        ]
        (run, captured) = self._only(runs, change)
        lines = _indented(change.code.lines(), run[0].col_offset)
        yield Splice(self.text.line_start(first_line(run[0])), self.text.line_end(run[-1].end_lineno), "\n".join(lines))

    def _only(self, found: list[tuple[Any, dict[str, ast.AST]]], change: Change) -> tuple[Any, dict[str, ast.AST]]:
        if len(found) == 1:
            return found[0]
        assert change.old is not None
        wanted = " ".join("\n".join(change.old.lines()).split())
        raise NoPlace(f"{self.path}: `{change.symbol}` has `{wanted}` {len(found)} times, not once")

    def _filled(self, code: Code, expression: ast.expr, captured: dict[str, ast.AST]) -> str:
        inner = Text(code.module)
        names = [node for node in ast.walk(expression) if isinstance(node, ast.Name) and node.id in captured]
        splices = [Splice(inner.start(name), inner.end(name), self.text.between(captured[name.id])) for name in names]
        return inner.spliced(splices, inner.start(expression), inner.end(expression))


def _is_definition(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def _defines(code: Code) -> bool:
    return any(_is_definition(statement) for statement in code.body)


def _indented(lines: list[str], column: int) -> list[str]:
    return [" " * column + line if line else line for line in lines]


def _elements(code: Code, ours: ast.expr | None) -> list[str]:
    if isinstance(ours, ast.Dict):
        pairs = zip(ours.keys, ours.values, strict=True)
        return [f"{code.text(key)}: {code.text(value)}" for key, value in pairs if key is not None]
    if isinstance(ours, ast.List | ast.Tuple | ast.Set):
        return [code.text(each) for each in ours.elts]
    raise TypeError("elements are those of a list, tuple, set or dict")


def _bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for part in ast.walk(node):
        for name in ("body", "orelse", "finalbody"):
            body = getattr(part, name, None)
            if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                yield body


def _matched(old: Any, new: Any, parts: frozenset[str]) -> dict[str, ast.AST] | None:
    """What the parts of `old` stand for where `new` is the same code, or None."""
    if isinstance(old, ast.Name) and old.id in parts:
        return {old.id: new} if isinstance(new, ast.expr) else None
    if isinstance(old, ast.AST):
        if type(old) is not type(new):
            return None
        pairs = [(getattr(old, name, None), getattr(new, name, None)) for name in old._fields if name != "ctx"]
    elif isinstance(old, list):
        if not isinstance(new, list) or len(old) != len(new):
            return None
        pairs = list(zip(old, new, strict=True))
    else:
        return {} if old == new and type(old) is type(new) else None
    captured: dict[str, ast.AST] = {}
    for left, right in pairs:
        found = _matched(left, right, parts)
        if found is None or any(
            name in captured and ast.dump(captured[name]) != ast.dump(node) for name, node in found.items()
        ):
            return None
        captured.update(found)
    return captured


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
