"""
How the twin of a site is written: as a renamed copy, or as one more value of the same test where the code that follows
can take the provider's name from the variable that is tested.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node

from fork.imports import name_order
from fork.names import PROVIDER, Twin
from fork.twins.sites import (
    EQUALITY,
    bound_names,
    code,
    equality,
    import_of,
    is_hosted,
    is_literal,
    names_provider,
    operands,
)

COMMA = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
# Comments that a checker reads; any other is about the original and is not repeated.
_DIRECTIVE = re.compile(r"#\s*(noqa|type:|pyright:|ruff:|pylint:|pragma:|nosec|[\w-]+-ok:)")
# How a text spells its provider: as the variable does, in capitals as the names of environment variables do, as prose,
# which stays, or so that the variable cannot stand there.
_SPELLING = re.compile(
    r"(?P<upper>(?:HOSTED_)?VLLM(?=_[A-Z]))|(?P<plain>hosted_vllm|\bvllm)|(?P<prose>Hosted VLLM)"
    r"|(?P<other>VLLM|vllm|Vllm)"
)
PROVIDER_VARIABLE = "custom_llm_provider"


class _Rename(cst.CSTTransformer):
    """Renames every name and string but the names `kept`."""

    def __init__(self, twin: Twin, kept: frozenset[str]) -> None:
        self.twin, self.kept = twin, kept

    def _renamed(self, original_node: cst.CSTNode, updated_node: Any) -> Any:
        value = updated_node.value
        return updated_node if value in self.kept else updated_node.with_changes(value=self.twin.rename(value))

    leave_Name = leave_SimpleString = leave_FormattedStringText = _renamed

    def leave_TrailingWhitespace(
        self, original_node: cst.TrailingWhitespace, updated_node: cst.TrailingWhitespace
    ) -> cst.TrailingWhitespace:
        if updated_node.comment is None or _DIRECTIVE.match(updated_node.comment.value):
            return updated_node
        return updated_node.with_changes(comment=None, whitespace=cst.SimpleWhitespace(""))

    def leave_EmptyLine(
        self, original_node: cst.EmptyLine, updated_node: cst.EmptyLine
    ) -> cst.EmptyLine | cst.RemovalSentinel:
        return updated_node if updated_node.comment is None else cst.RemoveFromParent()

    def leave_ImportFrom(self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom) -> cst.ImportFrom:
        if original_node.module is None:
            return updated_node
        # Whole paths are renamed: both upstream directories become one.
        path = self.twin.rename(get_full_name_for_node(original_node.module) or "")
        module = cst.ensure_type(cst.parse_expression(path), cst.Attribute if "." in path else cst.Name)
        return updated_node.with_changes(module=module)

    def leave_BooleanOperation(
        self, original_node: cst.BooleanOperation, updated_node: cst.BooleanOperation
    ) -> cst.BaseExpression:
        # `p == VLLM or p == HOSTED_VLLM` names one twin twice.
        same = code(updated_node.left) == code(updated_node.right)
        return updated_node.left if same else updated_node


def renamed(node: Any, twin: Twin, kept: frozenset[str] = frozenset()) -> Any:
    """Returns a copy of `node` for a twin, without the comments; names in `kept` stay."""
    return node.visit(_Rename(twin, kept))


def renamed_statement(statement: Any, twin: Twin) -> Any:
    """As `renamed`, of a whole statement; of an import, only the provider's names are taken."""
    blank = [cst.EmptyLine(indent=False)] * 2 if isinstance(statement, cst.FunctionDef) else []
    statement = statement.with_changes(leading_lines=blank)
    if small := import_of(statement):
        all_names: Any = small.names
        names = [alias for alias in all_names if names_provider(alias)]
        if len(names) < len(all_names):
            names = [alias.with_changes(comma=cst.MaybeSentinel.DEFAULT) for alias in names]
            small = small.with_changes(names=names, lpar=None, rpar=None)
        statement = statement.with_changes(body=[small])
    return renamed(statement, twin)


def merged_imports(statements: list[Any]) -> list[Any]:
    """Two imports from one module become one import of both."""
    imports = [small for statement in statements if (small := import_of(statement))]
    if len(imports) != 2 or len({code(small.module) for small in imports if small.module}) != 1:
        return statements
    first: Any = imports[0]
    second: Any = imports[1]
    comma = COMMA.with_changes(whitespace_after=first.lpar.whitespace_after) if first.lpar else COMMA
    names = sorted((*first.names, *second.names), key=lambda alias: name_order(alias.evaluated_name))
    names = [
        *(alias.with_changes(comma=comma) for alias in names[:-1]),
        names[-1].with_changes(comma=first.names[-1].comma),
    ]
    return [statements[0].with_changes(body=[first.with_changes(names=names)])]


# One more value of the same test


def membership(test: cst.Comparison, twins: Iterable[Twin]) -> cst.Comparison | None:
    """Returns `variable == provider` as `variable in (provider, ...twins)`; None for any other test."""
    if not (sides := equality(test)):
        return None
    variable, provider = sides
    elements = [cst.Element(value) for value in (provider, *(renamed(provider, twin) for twin in twins))]
    return cst.Comparison(
        left=variable, comparisons=[cst.ComparisonTarget(cst.In(), cst.Tuple(elements))], lpar=test.lpar, rpar=test.rpar
    )


class _FromVariable(cst.CSTTransformer):
    """
    Puts the variable in place of the provider's name.

    Args:
        variable: its name.
        is_text: whether it holds the name itself. An enum member is equal to it, but not written like it.
        shared: names of functions that serve every provider already.
    """

    def __init__(self, variable: str, is_text: bool, shared: frozenset[str]) -> None:
        self.variable, self.is_text, self.shared = variable, is_text, shared
        self.possible = True  # whether every mention could be replaced

    def visit_Annotation(self, node: cst.Annotation) -> bool:
        self.possible &= not names_provider(node.annotation)
        return False

    def visit_Subscript(self, node: cst.Subscript) -> None:
        self.possible &= not (is_literal(node) and names_provider(node))

    def visit_Expr(self, node: cst.Expr) -> bool:
        return not isinstance(node.value, cst.SimpleString | cst.ConcatenatedString)

    def visit_Name(self, node: cst.Name) -> None:
        self.possible &= node.value in self.shared or not PROVIDER.search(node.value)

    def _contents(self, text: str) -> list[cst.BaseFormattedStringContent]:
        contents: list[cst.BaseFormattedStringContent] = []
        end = 0
        for match in _SPELLING.finditer(text):
            if match.lastgroup == "prose":
                continue
            self.possible &= match.lastgroup == "upper" or match.lastgroup == "plain" and self.is_text
            value = f"{self.variable}.upper()" if match.lastgroup == "upper" else self.variable
            contents += [
                cst.FormattedStringText(text[end : match.start()]),
                cst.FormattedStringExpression(cst.parse_expression(value)),
            ]
            end = match.end()
        contents.append(cst.FormattedStringText(text[end:]))
        return [part for part in contents if not isinstance(part, cst.FormattedStringText) or part.value]

    def leave_SimpleString(self, original_node: cst.SimpleString, updated_node: cst.SimpleString) -> cst.BaseExpression:
        text = original_node.raw_value
        if not PROVIDER.search(text.replace("Hosted VLLM", "")):
            return updated_node
        if self.is_text and (match := _SPELLING.fullmatch(text)) and match.lastgroup == "plain":
            return cst.Name(self.variable)
        self.possible &= not original_node.prefix and "{" not in text and "}" not in text
        quote = original_node.quote
        return cst.FormattedString(self._contents(text), start=f"f{quote}", end=quote)  # type: ignore[arg-type]

    def leave_FormattedStringText(
        self, original_node: cst.FormattedStringText, updated_node: cst.FormattedStringText
    ) -> cst.FormattedStringText | cst.FlattenSentinel[cst.BaseFormattedStringContent]:
        if not PROVIDER.search(original_node.value):
            return updated_node
        return cst.FlattenSentinel(self._contents(original_node.value))


def for_all(
    test: cst.BaseExpression, body: cst.BaseSuite, twins: Sequence[Twin], shared: frozenset[str]
) -> tuple[cst.BaseExpression, cst.BaseSuite] | None:
    """
    Writes a branch so that it serves the twins as well.

    Args:
        test: what the branch tests.
        body: what it does then.
        twins: the twins.
        shared: names of functions that serve every provider already.

    Returns:
        The test and the body, or None where the branch needs what is the provider's own, such as a class.
    """
    tests = m.findall(test, EQUALITY)
    sides = [pair for each in tests if (pair := equality(each))]
    variables = {variable.value for variable, _ in sides}
    is_text = all(isinstance(provider, cst.SimpleString) for _, provider in sides)
    hosted = any(map(is_hosted, tests))

    def widened(each: Any, _: object) -> Any:
        return membership(each, twins) if is_hosted(each) or not hosted else each

    if len(variables) != 1 or names_provider(m.replace(test, EQUALITY, cst.Name("_"))):  # type: ignore[arg-type]
        return None
    from_variable = _FromVariable(variables.pop(), is_text, shared)
    new_body: Any = body.visit(from_variable)
    new_test: Any = m.replace(test, EQUALITY, widened)
    return (new_test, new_body) if from_variable.possible else None


def choice_of_each(
    test: cst.BaseExpression, body: cst.BaseSuite, twins: Sequence[Twin]
) -> tuple[cst.BaseExpression, cst.BaseSuite] | None:
    """
    Writes a branch that returns what a class or function of the provider's makes so that it chooses among the twins'.

    Args:
        test: what the branch tests.
        body: what it does then.
        twins: the twins.

    Returns:
        The test and the body, or None where the branch does more than that.
    """
    tested = [equality(each) for each in operands(test)]
    sides = [pair for pair in tested if pair]
    imports: list[Any]
    *imports, last = body.body
    small = last.body[0] if isinstance(last, cst.SimpleStatementLine) else None
    made = small.value if isinstance(small, cst.Return) else None
    if not isinstance(made, cst.Call) or len(sides) < len(tested) or not all(map(import_of, imports)):
        return None
    variables = {variable.value for variable, _ in sides}
    named: Any = made.func
    if len(variables) != 1 or m.findall(named, m.Call()) or not names_provider(named):
        return None
    if any(map(names_provider, made.args)):
        return None
    hosted = [provider for _, provider in sides if is_hosted(provider)] or [sides[0][1]]
    keys = [provider for _, provider in sides] + [renamed(each, twin) for each in hosted for twin in twins]
    makers = [named] * len(sides) + [renamed(named, twin) for _ in hosted for twin in twins]
    variable = cst.Name(variables.pop())
    entries = [
        cst.DictElement(key, value, comma=cst.Comma(whitespace_after=_line("    " if key is not keys[-1] else "")))
        for key, value in zip(keys, makers, strict=True)
    ]
    table = cst.Dict(entries, lbrace=cst.LeftCurlyBrace(whitespace_after=_line("    ")))
    chosen = made.with_changes(func=cst.Subscript(table, [cst.SubscriptElement(cst.Index(variable))]))
    for each in imports[:]:
        imports += merged_imports([renamed_statement(each, twin) for twin in twins])
    returned: Any = last.with_changes(body=[cst.Return(chosen)])
    tuple_of_keys = cst.Tuple([cst.Element(key) for key in keys])
    new_test = cst.Comparison(variable, [cst.ComparisonTarget(cst.In(), tuple_of_keys)])
    return new_test, body.with_changes(body=[*sorted(imports, key=_module), returned])


def _module(statement: Any) -> str:
    small = import_of(statement)
    return code(small.module) if small and small.module else ""


def _line(indent: str) -> cst.ParenthesizedWhitespace:
    return cst.ParenthesizedWhitespace(indent=True, last_line=cst.SimpleWhitespace(indent))


def function_for_all(function: cst.FunctionDef) -> cst.FunctionDef | None:
    """Returns a private function of the provider so that it serves the twins as well, or None where it cannot."""
    parameters = {parameter.name.value for parameter in function.params.params}
    bound = {name for statement in function.body.body for name in bound_names(statement)}
    if not function.name.value.startswith("_") or PROVIDER_VARIABLE not in parameters | bound:
        return None
    if any(map(names_provider, (function.params, *function.decorators))):
        return None
    from_variable = _FromVariable(PROVIDER_VARIABLE, True, frozenset())
    body = function.body.visit(from_variable)
    return function.with_changes(body=body) if from_variable.possible else None
