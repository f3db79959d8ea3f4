"""
The rules over one statement of a module: which of its sites are twinned, and what explains each mention.

Sites have three shapes: an element of a sequence, a statement of a body, a branch of a chain. Where a scope knows both
upstream providers, `hosted_vllm`'s sites carry the twins of both, because a local engine is a hosted server of our own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import libcst as cst
from libcst.metadata import CodeRange, PositionProvider

from fork.names import HOSTED, MENTION, PROVIDER, Twin
from fork.twins.sites import (
    bound_names,
    code,
    import_of,
    is_hosted,
    is_literal,
    operands,
    rule_of,
    tests_only_provider,
    tests_provider,
)
from fork.twins.writing import COMMA, choice_of_each, for_all, membership, merged_imports, renamed, renamed_statement

COVERED = "covered: the same scope's hosted_vllm site carries both twins"
NEUTRAL = "neutral: an import of a name that is no provider's"
COMMENT = "prose: a comment or docstring"

Element = TypeVar("Element", cst.Element, cst.DictElement, cst.SubscriptElement)
_EMPTY = cst.Module(body=[])
_NAMES = (cst.SimpleString, cst.Name, cst.Attribute)


class Wiring(cst.CSTTransformer):
    """
    Adds the twins to one module and notes which rule explains which of its lines.

    Args:
        lines: the module's source lines.
        exempt: tells why the site that begins on a line is left alone, or None.
        rules: names of the rules to apply, of RULES.
        taken: names that the module already binds; those of new twins are added.
        shared: names of functions that serve every provider already.
        twins: the twins to add.
    """

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(
        self,
        lines: Sequence[str],
        exempt: Callable[[str], str | None],
        rules: Iterable[str],
        taken: set[str],
        shared: frozenset[str],
        twins: Sequence[Twin],
    ) -> None:
        super().__init__()
        self.taken, self.shared, self.twins = taken, shared, twins
        self.lines, self.exempt, self.rules = lines, exempt, frozenset(rules)
        self.explained: dict[int, str] = {}
        self._whole: set[int] = set()  # ids of nodes twinned as a whole: nothing inside them is a site of its own
        self._operands: dict[int, bool] = {}  # by id, the tests in an `or` that name a provider: are they twinned?
        self._covered: set[int] = set()  # ids of branches and cases beside one of hosted_vllm's
        self._chained: set[int] = set()  # ids of the later branches of a chain
        self._muted = 0  # more than zero inside a branch or case that is twinned as a whole

    # What is noted, and what is left alone

    def _span(self, node: cst.CSTNode) -> CodeRange:
        span = self.get_metadata(PositionProvider, node)
        assert isinstance(span, CodeRange)
        return span

    def _note(self, node: cst.CSTNode, reason: str, last: cst.CSTNode | None = None) -> None:
        decorators = node.decorators if isinstance(node, cst.FunctionDef) else ()
        start = self._span(decorators[0] if decorators else node).start.line
        end = self._span(last or node).end.line
        for number in range(start, end + 1):
            if MENTION.search(self.lines[number - 1]):
                self.explained.setdefault(number, reason)

    def _exempted(self, node: cst.CSTNode, last: cst.CSTNode | None = None) -> bool:
        span = self._span(node)
        header = span.end.line if isinstance(node, cst.SimpleStatementLine) else span.start.line
        reasons = map(self.exempt, self.lines[span.start.line - 1 : header])
        reason = next(filter(None, reasons), None)
        if reason:
            self._note(node, reason, last)
        return reason is not None

    def visit_Comment(self, node: cst.Comment) -> None:
        start = self._span(node).start
        if not MENTION.search(self.lines[start.line - 1][: start.column]):
            self._note(node, COMMENT)

    def visit_Expr(self, node: cst.Expr) -> None:
        if isinstance(node.value, cst.SimpleString | cst.ConcatenatedString):
            self._note(node, COMMENT)

    # Elements

    def _twinned(
        self,
        rule: str,
        original: Sequence[Element],
        updated: Sequence[Element],
        identity: Callable[[Element], cst.CSTNode],
    ) -> list[Element]:
        if self._muted or rule not in self.rules:
            return list(updated)
        sites = [e for e in original if PROVIDER.search(code(identity(e))) and not self._exempted(e)]
        taken = {code(identity(element)) for element in original}
        twins: dict[int, list[Element]] = {}
        for site in sorted(sites, key=lambda site: not is_hosted(identity(site))):
            new = [renamed(site, twin) for twin in self.twins]
            twins[id(site)] = [element for element in new if code(identity(element)) not in taken]
            taken.update(code(identity(element)) for element in twins[id(site)])
            self._note(site, rule if twins[id(site)] else COVERED)
        comma = updated[0].comma if len(updated) > 1 else None
        result: list[Element] = []
        for before, element in zip(original, updated, strict=True):
            result += self._group(element, twins.get(id(before), []), before is original[-1], comma)
        return result

    def _group(self, element: Any, twins: list[Any], last: bool, comma: Any) -> list[Any]:
        """An element with its twins; `comma` is how the sequence separates."""
        if not twins:
            return [element]
        if last:
            # It carries the sequence's own ending, and hands it on to its last twin.
            comma = self._spaced(comma)
            between = comma if isinstance(comma, cst.Comma) else COMMA
            ending = element.comma
            if isinstance(ending, cst.Comma) and not isinstance(ending.whitespace_after, cst.ParenthesizedWhitespace):
                ending = cst.MaybeSentinel.DEFAULT  # a tuple of one needs its comma, a longer one does not
            return [
                *(each.with_changes(comma=between) for each in (element, *twins[:-1])),
                twins[-1].with_changes(comma=ending),
            ]
        # The comment beside a site stays there; the lines above the next element stay above it.
        first = element.with_changes(comma=self._spaced(element.comma, comment=True))
        middle = [twin.with_changes(comma=self._spaced(element.comma)) for twin in twins[:-1]]
        return [first, *middle, twins[-1].with_changes(comma=self._spaced(element.comma, following=True))]

    @staticmethod
    def _spaced(comma: Any, comment: bool = False, following: bool = False) -> Any:
        """A comma with its line break, with or without the comment on its line and the lines that follow it."""
        space = getattr(comma, "whitespace_after", None)
        if not isinstance(space, cst.ParenthesizedWhitespace):
            return comma
        if not comment:
            line = space.first_line.with_changes(comment=None, whitespace=cst.SimpleWhitespace(""))
            space = space.with_changes(first_line=line)
        return comma.with_changes(whitespace_after=space if following else space.with_changes(empty_lines=[]))

    def _leave_sequence(self, original_node: Any, updated_node: Any) -> Any:
        elements = self._twinned(
            "element",
            original_node.elements,
            updated_node.elements,
            lambda element: element.value if isinstance(element.value, _NAMES) else _EMPTY,
        )
        return updated_node.with_changes(elements=elements)

    leave_List = leave_Set = leave_Tuple = _leave_sequence

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.Subscript:
        if not is_literal(original_node):
            return updated_node
        elements = self._twinned("literal", original_node.slice, updated_node.slice, lambda element: element.slice)
        return updated_node.with_changes(slice=elements)

    def visit_DictElement(self, node: cst.DictElement) -> bool:
        return not PROVIDER.search(code(node.key))

    def leave_Dict(self, original_node: cst.Dict, updated_node: cst.Dict) -> cst.Dict:
        elements: Any = self._twinned(
            "entry",
            original_node.elements,  # type: ignore[type-var]
            updated_node.elements,  # type: ignore[type-var]
            lambda element: element.key if isinstance(element, cst.DictElement) else _EMPTY,
        )
        return updated_node.with_changes(elements=elements)

    # Statements

    def _visit_body(self, node: cst.Module | cst.IndentedBlock) -> None:
        if self._muted:
            return
        for statement in node.body:
            rule = rule_of(statement, isinstance(node, cst.Module))
            if rule and (rule in self.rules or self._exempted(statement)):
                self._whole.add(id(statement))

    visit_Module = visit_IndentedBlock = _visit_body

    def _visit_statement(self, node: cst.CSTNode) -> bool:
        return id(node) not in self._whole

    visit_FunctionDef = _visit_statement

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> bool:
        if import_of(node) and id(node) not in self._whole and not self._muted and "import" in self.rules:
            self._note(node, NEUTRAL)
        return self._visit_statement(node)

    def _leave_body(self, original_node: Any, updated_node: Any) -> Any:
        sites = [
            statement
            for statement in original_node.body
            if id(statement) in self._whole and not self._exempted(statement)
        ]
        if not sites:
            return updated_node
        top_level = isinstance(original_node, cst.Module)
        taken = self.taken if top_level else {name for s in original_node.body for name in bound_names(s)}
        twins: dict[int, list[cst.CSTNode]] = {}
        for site in sorted(sites, key=lambda site: not any(HOSTED.search(name) for name in bound_names(site))):
            new = [renamed_statement(site, twin) for twin in self.twins]
            new = [statement for statement in new if not taken.issuperset(bound_names(statement))]
            taken.update(name for statement in new for name in bound_names(statement))
            twins[id(site)] = merged_imports(new)
            self._note(site, str(rule_of(site, top_level)) if new else COVERED)
        body: list[cst.CSTNode] = []
        for before, statement in zip(original_node.body, updated_node.body, strict=True):
            body.append(statement)
            body.extend(twins.get(id(before), []))
        return updated_node.with_changes(body=body)

    leave_Module = leave_IndentedBlock = _leave_body

    # Branches

    def visit_If(self, node: cst.If) -> None:
        if id(node) in self._chained or self._muted or "branch" not in self.rules:
            return
        chain = [node]
        while isinstance(chain[-1].orelse, cst.If):
            chain.append(chain[-1].orelse)
        self._chained.update(id(branch) for branch in chain[1:])
        self._plan({branch: branch.test for branch in chain if tests_only_provider(branch.test)})

    def visit_Match(self, node: cst.Match) -> None:
        if not self._muted and "case" in self.rules:
            self._plan({case: case.pattern for case in node.cases if PROVIDER.search(code(case.pattern))})

    def _plan(self, sites: Mapping[Any, cst.CSTNode]) -> None:
        """Notes alternatives that are sites, each with what it tests: all are twinned as a whole, or covered."""
        self._whole.update(map(id, sites))
        if any(is_hosted(test) and not self._exempted(site, site.body) for site, test in sites.items()):
            self._covered.update(id(site) for site, test in sites.items() if not is_hosted(test))

    def _mute(self, node: cst.CSTNode) -> None:
        self._muted += id(node) in self._whole

    def _unmute(self, node: cst.CSTNode) -> None:
        self._muted -= id(node) in self._whole

    visit_If_test = visit_If_body = visit_MatchCase_body = _mute
    leave_If_test = leave_If_body = leave_MatchCase_body = _unmute

    def leave_If(self, original_node: cst.If, updated_node: cst.If) -> cst.If:
        if id(original_node) not in self._whole or self._exempted(original_node, original_node.body):
            return updated_node
        covered = id(original_node) in self._covered
        self._note(original_node, COVERED if covered else "branch", original_node.body)
        if covered:
            return updated_node
        one_for_all = for_all(original_node.test, original_node.body, self.twins, self.shared)
        if one_for_all := one_for_all or choice_of_each(original_node.test, original_node.body, self.twins):
            return updated_node.with_changes(test=one_for_all[0], body=one_for_all[1])
        model = original_node.with_changes(orelse=None, leading_lines=())
        twins = [renamed(model, twin, self.shared) for twin in self.twins]
        orelse = updated_node.orelse
        for twin in reversed(twins):
            orelse = twin.with_changes(orelse=orelse)
        return updated_node.with_changes(orelse=orelse)

    def leave_Comparison(
        self, original_node: cst.Comparison, updated_node: cst.Comparison
    ) -> cst.Comparison | cst.BooleanOperation:
        twinned = self._operands.get(id(original_node))
        if twinned is None or self._muted or "operand" not in self.rules or self._exempted(original_node):
            return updated_node
        self._note(original_node, "operand" if twinned else COVERED)
        if not twinned:
            return updated_node
        if widened := membership(updated_node, self.twins):
            return widened
        test: cst.Comparison | cst.BooleanOperation = updated_node
        for twin in self.twins:
            test = cst.BooleanOperation(left=test, operator=cst.Or(), right=renamed(original_node, twin))
        return test

    def visit_BooleanOperation(self, node: cst.BooleanOperation) -> None:
        sites = [operand for operand in operands(node) if tests_provider(operand)]
        hosted = any(map(is_hosted, sites))
        for operand in sites:  # the outermost `or` is visited first, and sees them all
            self._operands.setdefault(id(operand), is_hosted(operand) or not hosted)

    def leave_MatchCase(self, original_node: cst.MatchCase, updated_node: cst.MatchCase) -> Any:
        if id(original_node) not in self._whole or self._exempted(original_node, original_node.body):
            return updated_node
        covered = id(original_node) in self._covered
        self._note(original_node, COVERED if covered else "case", original_node.body)
        twins = () if covered else self.twins
        case = original_node.with_changes(leading_lines=())
        return cst.FlattenSentinel([updated_node, *(renamed(case, twin, self.shared) for twin in twins)])
