"""
What is a site of the twin rule: which tests, statements and imports are about an upstream vLLM provider.
"""

from typing import Any

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node

from fork.names import HOSTED, PROVIDER

_BARE = cst.Module(body=[])
_CONTAINER = m.List() | m.Set() | m.Tuple()
_NEGATION = m.Not() | m.NotEqual() | m.NotIn() | m.IsNot()


def code(node: cst.CSTNode) -> str:
    """Returns the source text of a node."""
    return _BARE.code_for_node(node)


def names_provider(node: cst.CSTNode) -> bool:
    return bool(PROVIDER.search(code(node)))


def is_hosted(node: cst.CSTNode) -> bool:
    return bool(HOSTED.search(code(node)))


def is_literal(node: cst.Subscript) -> bool:
    return get_full_name_for_node(node.value) in ("Literal", "typing.Literal")


def operands(test: cst.BaseExpression) -> list[cst.BaseExpression]:
    """Returns what an `or` chooses from; of any other test, the test itself."""
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.Or):
        return [*operands(test.left), *operands(test.right)]
    return [test]


def tests_provider(test: cst.BaseExpression) -> bool:
    if not names_provider(test):
        return False
    # "Not vLLM" is no site: what holds for every other provider holds for the twins or it does not, a person decides.
    # And what is named only inside a container is the element rule's.
    bare = m.replace(test, _CONTAINER, cst.List([]))
    return isinstance(bare, cst.CSTNode) and names_provider(bare) and not m.findall(test, _NEGATION)


def tests_only_provider(test: cst.BaseExpression) -> bool:
    return all(map(tests_provider, operands(test)))


def equality(test: cst.CSTNode) -> tuple[cst.Name, cst.BaseExpression] | None:
    """Returns the variable and the provider of `variable == provider`, in either order; None for any other test."""
    if not (
        isinstance(test, cst.Comparison) and m.matches(test, m.Comparison(comparisons=[m.ComparisonTarget(m.Equal())]))
    ):
        return None
    sides = (test.left, test.comparisons[0].comparator)
    for variable, provider in (sides, sides[::-1]):
        if isinstance(variable, cst.Name) and names_provider(provider) and not names_provider(variable):
            return variable, provider
    return None


EQUALITY: Any = m.MatchIfTrue(lambda node: equality(node) is not None)


def bound_names(statement: cst.CSTNode) -> list[str]:
    """Returns the names that a twinnable statement binds: of a function, an assignment or an import."""
    if isinstance(statement, cst.FunctionDef):
        return [statement.name.value]
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return []
    small = statement.body[0]
    if isinstance(small, cst.ImportFrom) and not isinstance(small.names, cst.ImportStar):
        return [alias.evaluated_alias or alias.evaluated_name for alias in small.names]
    if isinstance(small, cst.Assign):
        return [name for target in small.targets if (name := get_full_name_for_node(target.target))]
    if isinstance(small, cst.AnnAssign):
        return [name] if (name := get_full_name_for_node(small.target)) else []
    return []


def import_of(statement: cst.CSTNode) -> cst.ImportFrom | None:
    small = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
    return small if isinstance(small, cst.ImportFrom) else None


def rule_of(statement: cst.CSTNode, top_level: bool) -> str | None:
    """Returns the rule that a statement is a site of, or None."""
    if not any(map(PROVIDER.search, bound_names(statement))):
        return None
    if isinstance(statement, cst.FunctionDef):
        return "function" if top_level else None
    return "import" if import_of(statement) else "variable"
