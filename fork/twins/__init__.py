"""
The twin rule for Python: what upstream does for its vLLM providers is done for ours too.

sites     what is about a provider
writing   how a twin is written
rules     which sites of a statement are twinned, and what explains each mention
layout    lines that have become too long

Where the code that follows a test can take the provider's name from what is tested, it serves the twins as it is, and
the test names them too; everywhere else the site of each twin stands beside its model. Names come from fork.names.
"""

import ast
from collections.abc import Callable, Iterable, Sequence

import libcst as cst
from libcst.metadata import MetadataWrapper

from fork.names import HOSTED, MENTION, TWINS, Twin
from fork.syntax import parsed
from fork.twins.layout import fitted
from fork.twins.rules import COMMENT, COVERED, NEUTRAL, Wiring
from fork.twins.sites import rule_of
from fork.twins.writing import function_for_all

__all__ = ["COMMENT", "COVERED", "NEUTRAL", "RULES", "with_twins"]

RULES = {
    "element": "a list, set or tuple that names the provider gets the twin's name beside it",
    "literal": "a Literal[...] that names the provider gets the twin's name beside it",
    "entry": "a dict entry of the provider gets the twin's entry",
    "variable": "an enum member or variable of the provider gets the twin's",
    "import": "an import of the provider's names gets the twin's import",
    "function": "a top-level function of the provider takes the name from its variable, or gets the twin's function",
    "branch": "a branch that tests for the provider serves the twin too, or gets a sibling branch",
    "operand": "a test for one of several providers tests for the twin too",
    "case": "a match case of the provider gets a sibling case",
}


def with_twins(
    source: str,
    exempt: Callable[[str], str | None],
    rules: Iterable[str] = tuple(RULES),
    twins: Sequence[Twin] = TWINS,
) -> tuple[str, dict[int, str]]:
    """
    Applies the rules to one module.

    Args:
        source: the module's text.
        exempt: tells why the site that begins on a line is left alone, or None.
        rules: names of the rules to apply, of RULES.
        twins: the twins to add.

    Returns:
        The wired text, and the rule or reason that explains each mention, by line number (from 1).

    Raises:
        SyntaxError: `source` is not Python.
    """
    rules = frozenset(rules)
    statements = parsed(source).body
    lines = source.split("\n")
    explained = {
        number: COMMENT for number, line in enumerate(lines, 1) if line.startswith("#") and MENTION.search(line)
    }
    taken = {name for statement in statements for name in _module_names(statement)}
    # Only the statements that name a provider are parsed with their formatting: that is what costs time.
    spans = [(_first_line(statement), statement.end_lineno or 0) for statement in statements]
    texts = {span: "\n".join(lines[span[0] - 1 : span[1]]) + "\n" for span in spans}
    sites = [span for span in spans if MENTION.search(texts[span])]
    modules = {span: cst.parse_module(texts[span]) for span in sites}
    functions = _functions_for_all(modules.values(), exempt) if "function" in rules else {}
    taken.update(twin.rename(name) for name in functions for twin in twins)
    for span in sorted(sites, key=lambda span: not HOSTED.search(texts[span])):
        before, module = texts[span], modules[span]
        if function := functions.get(_name(module)):
            after = module.with_changes(body=[function]).code
            noted = {number: "function" for number, line in enumerate(before.split("\n"), 1) if MENTION.search(line)}
        else:
            wiring = Wiring(before.split("\n"), exempt, rules, taken, frozenset(functions), twins)
            after = MetadataWrapper(module, unsafe_skip_copy=True).visit(wiring).code
            noted = wiring.explained
        texts[span] = fitted(after, before) if after != before else before
        explained.update({span[0] - 1 + number: reason for number, reason in noted.items()})
    for first, last in reversed(sites):
        lines[first - 1 : last] = [texts[first, last].removesuffix("\n")]
    return "\n".join(lines), explained


def _name(module: cst.Module) -> str:
    return module.body[0].name.value if isinstance(module.body[0], cst.FunctionDef) else ""


def _functions_for_all(
    modules: Iterable[cst.Module], exempt: Callable[[str], str | None]
) -> dict[str, cst.FunctionDef]:
    """The provider's functions that can serve the twins as they are, by name, each written so that it does."""
    found = {}
    for module in modules:
        statement = module.body[0]
        if isinstance(statement, cst.FunctionDef) and rule_of(statement, top_level=True):
            name = statement.name.value
            if not exempt(f"def {name}(") and (function := function_for_all(statement)):
                found[name] = function
    return found


def _first_line(statement: ast.stmt) -> int:
    decorators = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _module_names(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name for alias in statement.names]
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]
