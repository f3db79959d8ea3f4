"""
Where the code of an edit goes in a file of upstream: every change is found in the same text, and all are made at once.

A place is found by symbol or by syntax, never by line, and must be there exactly once.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

from fork.edit import Change, Code, first_line
from fork.imports import import_splices
from fork.lock import ForkError
from fork.splice import Splice, Text
from fork.syntax import parsed

Captured: TypeAlias = dict[str, ast.AST]
Found = TypeVar("Found")
_OPERATORS = ast.BoolOp | ast.BinOp | ast.UnaryOp | ast.Compare | ast.IfExp | ast.Await
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
        self.tree = parsed(self.source)

    @cached_property
    def operands(self) -> frozenset[ast.AST]:
        """What an operator stands beside."""
        operators = (part for part in ast.walk(self.tree) if isinstance(part, _OPERATORS))
        return frozenset(child for part in operators for child in ast.iter_child_nodes(part))

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
        except (AttributeError, IndexError, TypeError, ValueError) as error:
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
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        imports = [each for each in body if isinstance(each, ast.Import | ast.ImportFrom)]
        first = body[len(imports) if body[: len(imports)] == imports else 0]
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
        ends: list[Any] = container.values if isinstance(container, ast.Dict) else container.elts
        starts: list[Any] = container.keys if isinstance(container, ast.Dict) else container.elts
        beside = [n for n, each in enumerate(starts) if isinstance(each, ast.Constant) and each.value == change.beside]
        place = (beside if change.beside else [len(starts) - 1])[0]
        end = self.text.end(ends[place])
        multiline = starts[place].lineno != container.lineno
        margin = "\n" + " " * starts[place].col_offset
        separator = f",{margin}" if multiline else ", "
        texts = [_filled(change.code, first, last, margin) for first, last in _elements(ours)]
        # The comma behind the element that is there stays where it is: behind the last of ours.
        yield Splice(end, end, "".join(separator + text for text in texts))

    def _keyword(self, node: Any, change: Change) -> Iterator[Splice]:
        (call, beside), *others = [
            (part, each)
            for part in ast.walk(node)
            if isinstance(part, ast.Call)
            for each in part.keywords
            if each.arg == change.beside
        ]
        if others:
            raise NoPlace(f"{self.path}: `{change.symbol}` has {len(others) + 1} arguments `{change.beside}`, not one")
        separator = f",\n{' ' * beside.col_offset}" if beside.lineno != call.lineno else ", "
        ours: Any = change.code.expression
        end = self.text.end(beside)
        for name, value in zip(ours.keys, ours.values, strict=True):
            yield Splice(end, end, f"{separator}{name.value}={change.code.text(value)}")

    def _behind(self, node: Any, change: Change) -> Iterator[Splice]:
        for run, _ in self._runs(node, change):
            end = self.text.line_end(run[-1].end_lineno or 0)
            yield Splice(end, end, "\n" + "\n".join(_indented(change.code.lines(), run[0].col_offset)))

    def _instead(self, node: Any, change: Change) -> Iterator[Splice]:
        assert change.old is not None
        if change.old.expression is None:
            for run, _ in self._runs(node, change):
                start, end = self.text.line_start(first_line(run[0])), self.text.line_end(run[-1].end_lineno or 0)
                yield Splice(start, end, "\n".join(_indented(change.code.lines(), run[0].col_offset)))
            return
        for old, captured in self._expressions(node, change, change.old.expression):
            yield Splice(self.text.start(old), self.text.end(old), self._instead_expression(change.code, captured, old))

    def _expressions(self, node: Any, change: Change, wanted: ast.expr) -> list[tuple[ast.expr, Captured]]:
        assert change.old is not None
        # What a function is annotated with, and what decorates it, is no code of it.
        statements = node.body if _is_definition(node) else [node]
        parts = [part for statement in statements for part in ast.walk(statement)]
        if change.of:
            calls = [part for part in parts if isinstance(part, ast.Call) and ast.unparse(part.func) == change.of]
            parts = [argument for call in calls for argument in (*call.args, *(each.value for each in call.keywords))]
        matches = ((part, _matched(wanted, part, change.old.parts)) for part in parts if isinstance(part, ast.expr))
        return self._counted([(part, captured) for part, captured in matches if captured is not None], change)

    def _runs(self, node: Any, change: Change) -> list[tuple[list[ast.stmt], Captured]]:
        assert change.old is not None
        wanted = change.old.body
        runs = (
            body[start : start + len(wanted)] for body in _bodies(node) for start in range(len(body) - len(wanted) + 1)
        )
        matches = ((run, _matched(wanted, run, change.old.parts)) for run in runs)
        return self._counted([(run, captured) for run, captured in matches if captured is not None], change)

    def _counted(self, found: list[tuple[Found, Captured]], change: Change) -> list[tuple[Found, Captured]]:
        if len(found) == change.times:
            return found
        assert change.old is not None
        wanted = " ".join("\n".join(change.old.lines()).split())
        often = "once" if change.times == 1 else f"{change.times} times"
        raise NoPlace(f"{self.path}: `{change.symbol}` has `{wanted}` {len(found)} times, not {often}")

    def _instead_expression(self, code: Code, captured: Captured, place: ast.expr) -> str:
        expression = code.expression
        assert expression is not None
        line = self.text.line(place.lineno)
        margin = "\n" + line[: len(line) - len(line.lstrip())]
        parts = {name: self.text.between(node) for name, node in captured.items()}
        text = _filled(code, expression, expression, margin, parts)
        return f"({text})" if place in self.operands and isinstance(expression, _OPERATORS) else text


def _is_definition(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def _defines(code: Code) -> bool:
    return any(_is_definition(statement) for statement in code.body)


def _indented(lines: list[str], column: int) -> list[str]:
    return [" " * column + line if line else line for line in lines]


def _elements(ours: ast.expr | None) -> list[tuple[ast.expr, ast.expr]]:
    if isinstance(ours, ast.Dict):
        return [(key, value) for key, value in zip(ours.keys, ours.values, strict=True) if key is not None]
    if isinstance(ours, ast.List | ast.Tuple | ast.Set):
        return [(each, each) for each in ours.elts]
    raise TypeError("elements are those of a list, tuple, set or dict")


def _filled(code: Code, first: ast.expr, last: ast.expr, margin: str, parts: Mapping[str, str] | None = None) -> str:
    """The text from one expression to another, with what its parts stand for, and `margin` for its line breaks."""
    text = Text(code.module)
    names = [each for each in ast.walk(first) if isinstance(each, ast.Name) and each.id in (parts or {})]
    splices = [Splice(text.start(name), text.end(name), (parts or {})[name.id]) for name in names]
    line = text.line(first.lineno)
    column = len(line) - len(line.lstrip())
    breaks = [
        Splice(text.line_start(number) - 1, text.line_start(number) + column, margin)
        for number in range(first.lineno + 1, (last.end_lineno or 0) + 1)
    ]
    return text.spliced([*splices, *breaks], text.start(first), text.end(last))


def _bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for part in ast.walk(node):
        for name in ("body", "orelse", "finalbody"):
            body = getattr(part, name, None)
            if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                yield body


def _matched(old: Any, new: Any, parts: frozenset[str]) -> Captured | None:
    """What the parts of `old` stand for where `new` is the same code, or None."""
    if isinstance(old, ast.Call) and isinstance(new, ast.Call) and _rest(old, parts):
        # `**rest` stands for whatever other keywords there are.
        known = len(old.keywords) - 1
        old = ast.Call(old.func, old.args, old.keywords[:known])
        new = ast.Call(new.func, new.args, new.keywords[:known])
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
    captured: Captured = {}
    for left, right in pairs:
        found = _matched(left, right, parts)
        if found is None or any(
            name in captured and ast.dump(captured[name]) != ast.dump(node) for name, node in found.items()
        ):
            return None
        captured.update(found)
    return captured


def _rest(call: ast.Call, parts: frozenset[str]) -> bool:
    last = call.keywords[-1] if call.keywords else None
    return last is not None and last.arg is None and isinstance(last.value, ast.Name) and last.value.id in parts


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
