"""Imports that edits need, at the top of upstream's file: in an import of the module that is there, or in its order."""

import ast
import sys
from collections.abc import Iterator, Mapping

from fork.splice import Splice, Text

_LINE = 120


def import_splices(text: Text, tree: ast.Module, needed: Mapping[str, tuple[str, str]]) -> list[Splice]:
    """
    The imports of a file's missing names.

    Args:
        text: the file.
        tree: its syntax.
        needed: by name, the module it is from and its name there, which is empty for a module.
    """
    bound = set(_bound(tree.body))
    missing: dict[str, list[str]] = {}
    for name, (module, original) in needed.items():
        if name not in bound:
            missing.setdefault(module, []).append(_alias(original, name) if original else "")
    return [
        splice for module in sorted(missing, key=_order) for splice in _splices(text, tree, module, missing[module])
    ]


def _alias(original: str, name: str) -> str:
    return original if original == name else f"{original} as {name}"


def _bound(body: list[ast.stmt]) -> Iterator[str]:
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in statement.names)
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        elif isinstance(statement, ast.Try | ast.If) and not _is_for_type_checkers(statement):
            yield from _bound(statement.body)


def _is_for_type_checkers(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING"


def _splices(text: Text, tree: ast.Module, module: str, names: list[str]) -> Iterator[Splice]:
    imports = _leading(tree)
    same = [each for each in imports if isinstance(each, ast.ImportFrom) and each.module == module and not each.level]
    if names != [""] and same and same[0].names[0].name != "*":
        yield from _merged(text, same[0], names)
        return
    statement = f"import {module}" if names == [""] else _from(module, names)
    # Sorted where upstream's imports are: behind the last one that stands before it.
    key = (_section(module), names != [""], _order(module))
    earlier = [each for each in imports if _key(each) < key and _key(each)[0] == key[0]]
    section = [each for each in imports if _key(each)[0] == key[0]]
    if earlier:
        at = text.line_end(earlier[-1].end_lineno or 0)
        yield Splice(at, at, f"\n{statement}")
    elif section:
        at = text.line_start(section[0].lineno)
        yield Splice(at, at, f"{statement}\n")
    else:
        before = [each for each in imports if _key(each)[0] < key[0]]
        if before:
            at = text.line_end(before[-1].end_lineno or 0)
            yield Splice(at, at, f"\n\n{statement}")
        else:
            first = tree.body[1] if ast.get_docstring(tree) is not None and len(tree.body) > 1 else tree.body[0]
            at = text.line_start(first.lineno)
            yield Splice(at, at, f"{statement}\n\n")


def _leading(tree: ast.Module) -> list[ast.Import | ast.ImportFrom]:
    """The imports that no other code stands before; where there are none, those before the first definition."""
    first, end = len(tree.body), len(tree.body)
    for number, each in reversed([*enumerate(tree.body)]):
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            end = number
        if not isinstance(each, ast.Import | ast.ImportFrom | ast.If | ast.Try) and not _is_text(each):
            first = number
    found = [[each for each in tree.body[:n] if isinstance(each, ast.Import | ast.ImportFrom)] for n in (first, end)]
    return found[0] or found[1]


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _merged(text: Text, statement: ast.ImportFrom, names: list[str]) -> Iterator[Splice]:
    there = [_alias(alias.name, alias.asname or alias.name) for alias in statement.names]
    if statement.lineno == statement.end_lineno:
        assert statement.module is not None
        whole = _from(statement.module, [*there, *names])
        yield Splice(text.start(statement), text.end(statement), whole)
        return
    for name in sorted(names, key=name_order):
        later = [alias for alias in statement.names if name_order(alias.name) > name_order(name)]
        if later:
            at = text.start(later[0])
            yield Splice(at, at, f"{name},\n{' ' * later[0].col_offset}")
        else:
            at = text.end(statement.names[-1])
            yield Splice(at, at, f",\n{' ' * statement.names[-1].col_offset}{name}")


def _from(module: str, names: list[str]) -> str:
    names = sorted(names, key=name_order)
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= _LINE:
        return line
    return "\n".join([f"from {module} import (", *(f"    {name}," for name in names), ")"])


def _key(statement: ast.Import | ast.ImportFrom) -> tuple[int, bool, tuple[str, str]]:
    module = statement.names[0].name if isinstance(statement, ast.Import) else statement.module or ""
    return _section(module), isinstance(statement, ast.ImportFrom), _order(module)


def _section(module: str) -> int:
    root = module.split(".")[0]
    return -1 if root == "__future__" else 0 if root in sys.stdlib_module_names else 2 if root == "litellm" else 1


def _order(module: str) -> tuple[str, str]:
    return module.lower(), module


def name_order(name: str) -> tuple[int, str, str]:
    """Sorts as isort does: constants, classes, the rest."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name.lower(), name
