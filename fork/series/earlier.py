"""
A module of ours as it is before a later patch of the series: what that patch brings is not named yet.

What is taken out, each where it names something later: a provider's element of a list, entry of a dict or row of a
table; an import; a base class; a function, class or variable whose name says that it is later; a function or method, of
a test say, that cannot do without; and the imports that nothing reads any more.
"""

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from fork.names import Twin
from fork.splice import Splice, Text
from fork.syntax import parsed

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_CUT = (*_DEFINITIONS, ast.Assign, ast.AnnAssign)
_DISPLAY = (ast.List, ast.Tuple, ast.Set)


def without_later(path: str, data: bytes, later: Collection[str], twins: Iterable[Twin]) -> bytes:
    """
    Takes out of a module what is not there yet.

    Args:
        path: of the module.
        data: its text.
        later: paths of the files that come later.
        twins: the providers that come later.
    """
    named = "|".join([*(twin.own for twin in twins), "(?!)"])
    cut = _Cut(path.split("/")[:-1], frozenset(map(_module, later)), re.compile(named))
    read = _names_read(parsed(data))
    while splices := _outermost(cut.splices(data)):
        data = Text(data.decode()).spliced(splices).encode()
    return _without_unread(data, read)


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@dataclass
class _Cut:
    """
    What is later.

    Args:
        package: of the module that is cut.
        modules: dotted names of modules.
        named: of strings and names.
        gone: names of the module that are taken out.
    """

    package: list[str]
    modules: frozenset[str]
    named: re.Pattern[str]
    gone: set[str] = field(default_factory=set)

    def splices(self, data: bytes) -> list[Splice]:
        """What is to be taken out of a module, seen once; some of it may be inside of other."""
        text, tree = Text(data.decode()), parsed(data)
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        self.gone |= {_bound(alias) for node in imports for alias in node.names if self._is_later(node, alias)}
        return [*self._of_imports(text, tree), *self._of_statements(text, tree.body)]

    def _is_later(self, node: ast.ImportFrom, alias: ast.alias) -> bool:
        package = self.package[: len(self.package) + 1 - node.level] if node.level else []
        module = ".".join([*package, *([node.module] if node.module else [])])
        return not self.modules.isdisjoint({module, f"{module}.{alias.name}"}) or bool(self.named.search(alias.name))

    def _of_imports(self, text: Text, tree: ast.Module) -> Iterator[Splice]:
        for node in tree.body:
            if isinstance(node, ast.ImportFrom):
                kept = [alias for alias in node.names if not self._is_later(node, alias)]
                yield from _only(text, node, kept)

    def _of_statements(self, text: Text, body: Sequence[ast.stmt], is_module: bool = True) -> Iterator[Splice]:
        for statement in body:
            inner = [splice for node in ast.walk(statement) for splice in self._of(text, node)]
            if isinstance(statement, ast.ClassDef):
                inner += self._of_statements(text, statement.body, is_module=False)
            is_later = any(map(self.named.search, _names_of(statement)))
            if is_later or not inner and isinstance(statement, _CUT) and self._names(statement):
                self.gone |= {*_names_of(statement)} if is_module else set()
                yield _statement(text, statement)
            else:
                yield from inner

    def _names(self, node: ast.AST) -> bool:
        """Whether code, without its docstrings, names something later."""
        documents = {id(each.value) for each in ast.walk(node) if isinstance(each, ast.Expr)}
        return any(self._is_name(each) for each in ast.walk(node) if id(each) not in documents)

    def _is_name(self, node: ast.AST) -> bool:
        if isinstance(node, ast.ImportFrom):
            return any(self._is_later(node, alias) for alias in node.names)
        if isinstance(node, ast.Name) and node.id in self.gone:
            return True
        # A string, or the name of a variable, an attribute, an argument.
        said = [getattr(node, field, None) for field in ("value", "id", "attr", "arg")]
        return any(isinstance(each, str) and self.named.search(each) for each in said)

    def _of(self, text: Text, node: ast.AST) -> Iterator[Splice]:
        if isinstance(node, _DISPLAY) and not isinstance(getattr(node, "ctx", None), ast.Store):
            one = "," if isinstance(node, ast.Tuple) else ""
            yield from _without(text, [(each, each) for each in node.elts], self._drops, one)
        elif isinstance(node, ast.Dict) and None not in node.keys:
            pairs = [(key, value) for key, value in zip(node.keys, node.values, strict=True) if key is not None]
            yield from _without(text, pairs, self._names)
        elif isinstance(node, ast.ClassDef):
            yield from _without(text, [(each, each) for each in node.bases], self._names)

    def _drops(self, element: ast.expr) -> bool:
        """Whether an element, or a row of a table, is of something later. Lists in a row are looked at alone."""
        if isinstance(element, ast.List | ast.Set):
            return False
        if isinstance(element, ast.Tuple):
            return any(not isinstance(each, _DISPLAY) and self._names(each) for each in element.elts)
        return self._names(element)


def _names_of(statement: ast.stmt) -> list[str]:
    if isinstance(statement, _DEFINITIONS):
        return [statement.name]
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _statement(text: Text, statement: ast.stmt) -> Splice:
    """A statement with its decorators, the comment above it and the blank lines before that."""
    first = min([statement.lineno, *(each.lineno for each in getattr(statement, "decorator_list", []))])
    while text.line(first - 1).lstrip().startswith("#"):
        first -= 1
    while first > 1 and not text.line(first - 1).strip():
        first -= 1
    return _lines(text, first, statement)


def _lines(text: Text, first: int, statement: ast.stmt) -> Splice:
    """The lines from one to the last of a statement."""
    return Splice(text.line_start(first), text.line_start((statement.end_lineno or 0) + 1), "")


def _only(text: Text, node: ast.ImportFrom, kept: Sequence[ast.alias]) -> Iterator[Splice]:
    """An import of fewer names."""
    if not kept:
        yield _lines(text, node.lineno, node)
    elif len(kept) < len(node.names):
        names = ", ".join(text.between(alias) for alias in kept)
        yield Splice(text.start(node), text.end(node), f"from {'.' * node.level}{node.module or ''} import {names}")


def _without(
    text: Text,
    elements: Sequence[tuple[ast.expr, ast.expr]],
    drops: Callable[[ast.expr], bool],
    one: str = "",
) -> Iterator[Splice]:
    """Elements taken out, each from its first to its last node; a comma behind the `one` that may be left."""
    dropped = [drops(first) for first, _ in elements]
    if not any(dropped) or all(dropped):
        return
    last = max(number for number, is_dropped in enumerate(dropped) if not is_dropped)
    for number, (element, following) in enumerate(pairwise([*elements, elements[-1]])):
        if dropped[number] and number < last:
            yield Splice(text.start(element[0]), text.start(following[0]), "")
    end = text.end(elements[-1][1])
    alone = one if dropped.count(False) == 1 and not text.data[end:].lstrip().startswith(b",") else ""
    yield Splice(text.end(elements[last][1]), end, alone)


def _outermost(splices: Iterable[Splice]) -> list[Splice]:
    found: list[Splice] = []
    for splice in sorted(splices, key=lambda each: (each.start, -each.end)):
        if not found or splice.start >= found[-1].end:
            found.append(splice)
    return found


def _names_read(tree: ast.Module) -> set[str]:
    """Names that the code of a module reads, in strings of annotations too, and those that it offers."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    strings = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return names | {word for text in strings if len(text) < 200 for word in re.findall(r"\w+", text)}


def _without_unread(data: bytes, read: Collection[str]) -> bytes:
    """Takes out imports of names that the module has read so far and reads no more."""
    text, tree = Text(data.decode()), parsed(data)
    unread = set(read) - _names_read(tree)
    splices: list[Splice] = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            splices += _only(text, node, [alias for alias in node.names if _bound(alias) not in unread])
        elif isinstance(node, ast.Import) and {_bound(alias) for alias in node.names} <= unread:
            splices.append(_lines(text, node.lineno, node))
    return text.spliced(splices).encode() if splices else data


def _bound(alias: ast.alias) -> str:
    return alias.asname or alias.name.split(".")[0]
