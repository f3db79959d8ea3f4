"""
The form of an explicit edit: real code of ours, and the places in upstream's files that it goes to.

An edit is a module of `fork/edits/`. Its functions are read, not called: what stands in their bodies goes to the
places that their decorators name. A body that is one `return` is an expression, any other is statements.
"""

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar

from fork.lock import ForkError
from fork.releases import holds
from fork.syntax import parsed

# A parameter of this type stands for any expression of upstream's; the new code may name it.
Part: TypeAlias = Any

Function = TypeVar("Function", bound=Callable[..., object])


class Decorator(Protocol):
    """Leaves a function as it is."""

    def __call__(self, function: Function, /) -> Function: ...


@dataclass(frozen=True)
class Code:
    """
    What a function of an edit says.

    Args:
        module: text of the module that holds it.
        function: its syntax.
        imports: the names that its module imports, other than the fork's: by name, the module or package it is from
            and its name there, which is empty for a module.
    """

    module: str
    function: ast.FunctionDef | ast.AsyncFunctionDef
    imports: dict[str, tuple[str, str]]

    @property
    def body(self) -> list[ast.stmt]:
        """Its statements, without a docstring."""
        documented = ast.get_docstring(self.function) is not None
        return self.function.body[1:] if documented else self.function.body

    @property
    def expression(self) -> ast.expr | None:
        """What it returns, where that is all it says."""
        only = self.body[0] if len(self.body) == 1 else None
        return only.value if isinstance(only, ast.Return) else None

    @property
    def parts(self) -> frozenset[str]:
        """Its parameters that stand for any expression."""
        arguments = self.function.args
        every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
        return frozenset(each.arg for each in every if each.annotation and ast.unparse(each.annotation) == "Part")

    def text(self, node: ast.AST) -> str:
        """The text of a part of it."""
        return ast.get_source_segment(self.module, node) or ""

    def lines(self) -> list[str]:
        """Its statements and the comments above them, without indentation."""
        lines = self.module.split("\n")
        first = first_line(self.body[0])
        start = self.function.body[0].end_lineno if self.body[0] is not self.function.body[0] else None
        while first - 1 > (start or self.function.lineno) and lines[first - 2].lstrip().startswith("#"):
            first -= 1
        margin = self.body[0].col_offset
        return [line[margin:] for line in lines[first - 1 : self.body[-1].end_lineno]]

    def needed(self) -> dict[str, tuple[str, str]]:
        """The imports of the names that it reads."""
        own = {each.arg for each in ast.walk(self.function.args) if isinstance(each, ast.arg)}
        read = {each.id for part in self.body for each in ast.walk(part) if isinstance(each, ast.Name)}
        return {name: self.imports[name] for name in sorted(read & self.imports.keys() - own)}


def first_line(node: ast.AST) -> int:
    """The line that a statement begins on, decorators included."""
    return min(part.lineno for part in (node, *getattr(node, "decorator_list", ())))  # type: ignore[attr-defined]


@lru_cache
def _module(file: str) -> tuple[str, ast.Module]:
    text = Path(file).read_text()
    return text, parsed(text)


def code_of(function: Callable[..., object]) -> Code:
    """Reads a function of an edit."""
    text, module = _module(inspect.getfile(function))
    line = function.__code__.co_firstlineno
    nodes = (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    imports = {name: source for node in _at_top(module.body) for name, source in _imported(node)}
    return Code(text, next(node for node in nodes if first_line(node) == line), imports)


def _at_top(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        yield statement
        if isinstance(statement, ast.If):  # TYPE_CHECKING
            yield from statement.body


def _imported(node: ast.AST) -> Iterator[tuple[str, tuple[str, str]]]:
    if isinstance(node, ast.Import):
        yield from ((alias.asname or alias.name, (alias.name, "")) for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] not in ("fork", "__future__"):
        yield from ((alias.asname or alias.name, (node.module, alias.name)) for alias in node.names)


@dataclass(frozen=True)
class Change:
    """
    One place of an edit.

    Args:
        how: "after", "start", "body", "element", "keyword", "decorator", "behind" or "instead".
        path: file, relative to the wheel's root.
        symbol: dotted name of the variable, function, method or class; `*` stands for any class, and an empty one for
            the whole file.
        code: what goes there.
        old: for "behind" and "instead", what stands there.
        of: for "instead", the function in whose calls it stands, as their argument; by default anywhere.
        times: for "instead", how often it stands there.
        beside: for "element" and "keyword", what it stands after; by default the last element.
        releases: those that have this place.
    """

    how: str
    path: str
    symbol: str
    code: Code
    old: Code | None = None
    of: str = ""
    times: int = 1
    beside: str = ""
    releases: str = ""


@dataclass(frozen=True, eq=False)
class Edit:
    """
    One explicit edit of upstream.

    Args:
        module: `__name__` of its module.
        doc: `__doc__` of its module, which says why.
        patch: the patch of the series that it belongs to.
        speed: whether it only makes something cheaper. Such an edit is left out where its place is gone; any other
            stops the build.
        releases: upstream releases that it is for (`>=1.105, <1.110`), by default all.
    """

    module: str
    doc: str | None
    patch: str
    speed: bool = False
    releases: str = ""
    changes: list[Change] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.module.rsplit(".", 1)[-1].replace("_", "-")

    @property
    def reason(self) -> str:
        """The first paragraph of what its module says, as one line."""
        return " ".join((self.doc or "").strip().split("\n\n")[0].split()).rstrip(".")

    def places(self, version: str) -> list[Change]:
        """Its places in a release; none where it is not for that release."""
        if not holds(self.releases, version):
            return []
        return [change for change in self.changes if holds(change.releases, version)]

    # Decorators

    def after(self, path: str, symbol: str, releases: str = "") -> Decorator:
        """Statements after the one that makes a symbol."""
        return self._at("after", path, symbol, releases=releases)

    def start(self, path: str, symbol: str, releases: str = "") -> Decorator:
        """Statements at the start of a function or class, below its docstring."""
        return self._at("start", path, symbol, releases=releases)

    def body(self, path: str, symbol: str, releases: str = "") -> Decorator:
        """Statements in place of a function's."""
        return self._at("body", path, symbol, releases=releases)

    def element(self, path: str, symbol: str, beside: str = "", releases: str = "") -> Decorator:
        """Elements of the list, tuple, set or dict that a variable holds: those of one of the same kind."""
        return self._at("element", path, symbol, beside=beside, releases=releases)

    def keyword(self, path: str, symbol: str, beside: str, releases: str = "") -> Decorator:
        """Keyword arguments, those of a dict, after the one called `beside`, which the symbol holds once."""
        return self._at("keyword", path, symbol, beside=beside, releases=releases)

    def decorator(self, path: str, symbol: str, releases: str = "") -> Decorator:
        """An expression as the innermost decorator of a function or class."""
        return self._at("decorator", path, symbol, releases=releases)

    def behind(self, old: Callable[..., object], path: str, symbol: str, releases: str = "") -> Decorator:
        """Statements behind those that the function `old` says, which the symbol holds once."""
        return self._at("behind", path, symbol, old=code_of(old), releases=releases)

    def instead_of(
        self,
        old: Callable[..., object],
        path: str,
        symbol: str,
        *,
        of: str = "",
        times: int = 1,
        releases: str = "",
    ) -> Decorator:
        """
        An expression or statements in place of what the function `old` says.

        Args:
            old: a function of the same module.
            path: file, relative to the wheel's root.
            symbol: the function, method or class that holds it.
            of: an expression counts only as an argument of this function's calls.
            times: how often it stands there.
            releases: those that have this place.
        """
        return self._at("instead", path, symbol, old=code_of(old), of=of, times=times, releases=releases)

    def _at(
        self,
        how: str,
        path: str,
        symbol: str,
        *,
        old: Code | None = None,
        of: str = "",
        times: int = 1,
        beside: str = "",
        releases: str = "",
    ) -> Decorator:
        def placed(function: Function) -> Function:
            code = code_of(function)
            if how == "instead" and old is not None and (old.expression is None) != (code.expression is None):
                raise ForkError(f"edit '{self.name}': `{code.function.name}` must be an expression as what it replaces")
            self.changes.append(Change(how, path, symbol, code, old, of, times, beside, releases))
            return function

        return placed
