"""
What upstream's own checks say of the modules that go there, stated here as they say it: the facts are ours to keep.

Read from the source, so that it takes a second: `make lint` runs it.
"""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from fork.source import ROOT
from fork.syntax import parsed
from fork.wheel import overlay

from .discipline import findings

PATHS = sorted(path for path in overlay() if path.endswith(".py"))
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
# Functions that call themselves, and what bounds them.
RECURSIVE = {
    ("litellm/llms/remodlai/embedding/transformation.py", "_sendable"): "DEFAULT_MAX_RECURSE_DEPTH",
    ("litellm/llms/remodlai/chat/chunk_template.py", "_paths"): "the models of a chunk, which upstream declares",
}
# HTTP clients that are not from upstream's factories, and why.
CLIENTS = {
    ("litellm/llms/remodlai/completion/handler.py", "httpx.AsyncClient"): "speaks to a Unix socket of this machine",
    ("litellm/llms/remodlai/engine/transport.py", "aiohttp.ClientSession"): "speaks to a Unix socket of this machine",
}
CLIENT_NAMES = {"httpx.Client", "httpx.AsyncClient", "aiohttp.ClientSession", "requests.Session"}
# Numbers that say themselves what they are.
PLAIN = {0, 1, 2}
STATUS_CODES = range(400, 600)


def tree(path: str) -> ast.Module:
    return parsed((ROOT / path).read_text())


def module_of(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported(path: str) -> Iterator[str]:
    """Names of what a module imports, those that it imports late as well."""
    package = path.split("/")[:-1]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Not even late, inside a function: TopologicalSorter raises CycleError, which names the circle."""
    ours = {module_of(path) for path in PATHS}
    graph = {module_of(path): {*imported(path)} & ours - {module_of(path)} for path in PATHS}
    assert len([*TopologicalSorter(graph).static_order()]) == len(ours) > 40
    assert "litellm.llms.remodlai.errors" in graph["litellm.llms.remodlai.common_utils"]


def test_modules_of_ours_that_are_imported_are_there() -> None:
    """Each name is a module, a folder, or in a module; a checker that ignores missing imports does not see it."""
    ours = {module_of(path) for path in PATHS}
    folders = {module.rpartition(".")[0] for module in ours}
    names = {name for path in PATHS for name in imported(path) if name.startswith("litellm.llms.remodlai.")}
    assert sorted(name for name in names if not {name, name.rpartition(".")[0]} & ours and name not in folders) == []


@pytest.mark.parametrize("path", PATHS)
def test_imports_are_at_the_top(path: str) -> None:
    code = [not isinstance(node, ast.Import | ast.ImportFrom) for node in tree(path).body]
    definitions = [isinstance(node, FUNCTIONS | ast.ClassDef) for node in tree(path).body]
    first = definitions.index(True) if True in definitions else len(code)
    assert all(code[first:]), path


def calls(function: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(function) if isinstance(node, ast.Call))


def test_recursion_is_bounded() -> None:
    found = {
        (path, function.name)
        for path in PATHS
        for function in ast.walk(tree(path))
        if isinstance(function, FUNCTIONS)
        for call in calls(function)
        # `close()` of a base class is a variable of that name there.
        if ast.unparse(call.func) in (function.name, f"self.{function.name}", f"cls.{function.name}")
        and function.name not in assigned(function)
    }
    assert found == RECURSIVE.keys()


def assigned(function: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def test_http_clients_are_from_upstream_s_factories() -> None:
    found = {(path, ast.unparse(call.func)) for path in PATHS for call in calls(tree(path))}
    assert {(path, name) for path, name in found if name in CLIENT_NAMES} == CLIENTS.keys()


@pytest.mark.parametrize("path", PATHS)
def test_numbers_have_names(path: str) -> None:
    """Inside functions; a status code, a power of two, a file mode and a default do without one."""
    source = (ROOT / path).read_text()
    found = []
    for function in ast.walk(parsed(source)):
        if isinstance(function, FUNCTIONS):
            for statement in function.body:
                operators = [each for each in ast.walk(statement) if isinstance(each, ast.BinOp)]
                powers = [each.right for each in operators if isinstance(each.op, ast.Pow)]
                for node in ast.walk(statement):
                    if not isinstance(node, ast.Constant) or type(node.value) not in (int, float):
                        continue
                    text = ast.get_source_segment(source, node) or ""
                    plain = node.value in PLAIN or node.value in STATUS_CODES or text.startswith("0o")
                    if not plain and not any(node is power for power in powers):
                        found.append(f"{path}:{node.lineno}: {text}")
    assert found == []


@pytest.mark.parametrize("path", PATHS)
def test_types_are_disciplined(path: str) -> None:
    assert findings((ROOT / path).read_text()) == []


def test_each_statement_would_find_what_it_is_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.py").write_text(
        "import b\n\n\ndef f() -> None:\n    wait(17)\n    f()\n    httpx.Client()  # noqa: S113\n\n\nimport c\n"
    )
    (tmp_path / "b.py").write_text("def g() -> None:\n    import a\n")
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    monkeypatch.setitem(globals(), "PATHS", ["a.py", "b.py"])
    for statement in (
        test_no_module_imports_itself_by_way_of_others,
        test_recursion_is_bounded,
        test_http_clients_are_from_upstream_s_factories,
    ):
        with pytest.raises((AssertionError, ValueError)):
            statement()
    for of_path in (
        test_imports_are_at_the_top,
        test_numbers_have_names,
        test_types_are_disciplined,
    ):
        with pytest.raises(AssertionError):
            of_path("a.py")
