"""A module of ours as it is before a later patch of the series: what that patch brings is not named yet."""

import ast
from collections.abc import Callable, Collection, Iterator

from fork.names import TWINS
from fork.splice import Splice, Text
from fork.syntax import parsed

_NAMES = frozenset(twin.provider for twin in TWINS)


def without_later(data: bytes, later: Collection[str]) -> bytes:
    """
    Takes out of a module: our providers' names in its lists, imports of files that come later, and base classes from
    there.

    Args:
        data: the module.
        later: paths of the files that come later.
    """
    modules = {path.removesuffix(".py").replace("/", ".") for path in later}
    if not any(word.encode() in data for word in (*_NAMES, *modules)):
        return data
    text = Text(data.decode())
    tree = parsed(data)
    gone = {alias.asname or alias.name for node in _imports(tree, later) for alias in node.names}
    splices = [splice for node in ast.walk(tree) for splice in _of(text, node, gone)]
    for node in _imports(tree, later):
        splices.append(Splice(text.line_start(node.lineno), text.line_start((node.end_lineno or 0) + 1), ""))
    return text.spliced(splices).encode()


def _imports(tree: ast.Module, later: Collection[str]) -> Iterator[ast.ImportFrom]:
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and f"{str(node.module).replace('.', '/')}.py" in later:
            yield node


def _of(text: Text, node: ast.AST, gone: Collection[str]) -> Iterator[Splice]:
    if isinstance(node, ast.Set | ast.List | ast.Tuple):
        one = "," if isinstance(node, ast.Tuple) else ""
        yield from _without(text, node.elts, lambda each: isinstance(each, ast.Constant) and each.value in _NAMES, one)
    elif isinstance(node, ast.ClassDef):
        yield from _without(text, node.bases, lambda each: isinstance(each, ast.Name) and each.id in gone)


def _without(
    text: Text, elements: list[ast.expr], drops: Callable[[ast.expr], bool], one: str = ""
) -> Iterator[Splice]:
    kept = [each for each in elements if not drops(each)]
    if kept and len(kept) < len(elements):
        texts = ", ".join(text.between(each) for each in kept) + (one if len(kept) == 1 else "")
        yield Splice(text.start(elements[0]), text.end(elements[-1]), texts)
