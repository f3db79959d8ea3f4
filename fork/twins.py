"""
The twin rule for Python: beside each site that names an upstream vLLM provider, the site of each of our providers.

Sites have three shapes: an element of a sequence, a statement of a body, a branch of a chain. Which of them are twinned
is what the rules (RULES) say; how a twin is written is one renaming (fork.names). Where a scope knows both upstream
providers, `hosted_vllm`'s sites carry the twins of both, because a local engine is a hosted server of our own.
"""

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import libcst as cst
import libcst.matchers as m
from libcst.helpers import get_full_name_for_node
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from fork.names import HOSTED, MENTION, PROVIDER, TWINS, Twin

RULES = {
    "element": "a list, set or tuple that names the provider gets the twin's name beside it",
    "literal": "a Literal[...] that names the provider gets the twin's name beside it",
    "entry": "a dict entry of the provider gets the twin's entry",
    "variable": "an enum member or variable of the provider gets the twin's",
    "import": "an import of the provider's names gets the twin's import",
    "function": "a top-level function of the provider gets the twin's function",
    "branch": "a branch that tests for the provider gets a sibling branch",
    "operand": "a test for one of several providers gets one more operand",
    "case": "a match case of the provider gets a sibling case",
}
COVERED = "covered: the same scope's hosted_vllm site carries both twins"
NEUTRAL = "neutral: an import of a name that is no provider's"
COMMENT = "prose: a comment or docstring"

Element = TypeVar("Element", cst.Element, cst.DictElement, cst.SubscriptElement)
_BARE = cst.Module(body=[])
_COMMA = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
_NAMES = (cst.SimpleString, cst.Name, cst.Attribute)
_CONTAINER = m.List() | m.Set() | m.Tuple()
_NEGATION = m.Not() | m.NotEqual() | m.NotIn() | m.IsNot()


def _code(node: cst.CSTNode) -> str:
    return _BARE.code_for_node(node)


def _is_hosted(node: cst.CSTNode) -> bool:
    return bool(HOSTED.search(_code(node)))


class _Rename(cst.CSTTransformer):
    """Writes a site's twin: every name, string and comment in it renamed."""

    def __init__(self, twin: Twin) -> None:
        self.twin = twin

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        return updated_node.with_changes(value=self.twin.rename(original_node.value))

    def leave_SimpleString(self, original_node: cst.SimpleString, updated_node: cst.SimpleString) -> cst.SimpleString:
        return updated_node.with_changes(value=self.twin.rename(original_node.value))

    def leave_FormattedStringText(
        self, original_node: cst.FormattedStringText, updated_node: cst.FormattedStringText
    ) -> cst.FormattedStringText:
        return updated_node.with_changes(value=self.twin.rename(original_node.value))

    def leave_Comment(self, original_node: cst.Comment, updated_node: cst.Comment) -> cst.Comment:
        return updated_node.with_changes(value=self.twin.rename(original_node.value))

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
        same = _code(updated_node.left) == _code(updated_node.right)
        return updated_node.left if same else updated_node


def _renamed(node: Any, twin: Twin) -> Any:
    return node.visit(_Rename(twin))


def _operands(test: cst.BaseExpression) -> list[cst.BaseExpression]:
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.Or):
        return [*_operands(test.left), *_operands(test.right)]
    return [test]


def _tests_provider(test: cst.BaseExpression) -> bool:
    if not PROVIDER.search(_code(test)):
        return False
    # "Not vLLM" is no site: what holds for every other provider holds for the twins or it does not, a person decides.
    # And what is named only inside a container is the element rule's.
    bare = m.replace(test, _CONTAINER, cst.List([]))
    return isinstance(bare, cst.CSTNode) and bool(PROVIDER.search(_code(bare))) and not m.findall(test, _NEGATION)


def _tests_only_provider(test: cst.BaseExpression) -> bool:
    return all(_tests_provider(operand) for operand in _operands(test))


def _bound_names(statement: cst.CSTNode) -> list[str]:
    """The names that a twinnable statement binds: of a function, an assignment or an import."""
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


def _import_of(statement: cst.CSTNode) -> cst.ImportFrom | None:
    small = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) else None
    return small if isinstance(small, cst.ImportFrom) else None


def _merged_imports(statements: list[Any]) -> list[Any]:
    """Two imports from one module become one import of both."""
    imports = [small for statement in statements if (small := _import_of(statement))]
    if len(imports) != 2 or len({_code(small.module) for small in imports if small.module}) != 1:
        return statements
    first: Any = imports[0]
    second: Any = imports[1]
    comma = first.names[-1].comma
    if not isinstance(comma, cst.Comma):
        comma = _COMMA
    elif first.lpar:
        comma = comma.with_changes(whitespace_after=first.lpar.whitespace_after)
    names = [*first.names[:-1], first.names[-1].with_changes(comma=comma), *second.names]
    return [statements[0].with_changes(body=[first.with_changes(names=names)])]


class Wiring(cst.CSTTransformer):
    """
    Adds the twins to one module and notes which rule explains which of its lines.

    Args:
        lines: the module's source lines.
        exempt: tells why the site that begins on a line is left alone, or None.
        rules: names of the rules to apply, of RULES.
        taken: names that the module already binds; those of new twins are added.
    """

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(
        self, lines: Sequence[str], exempt: Callable[[str], str | None], rules: Iterable[str], taken: set[str]
    ) -> None:
        super().__init__()
        self.taken = taken
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
        sites = [e for e in original if PROVIDER.search(_code(identity(e))) and not self._exempted(e)]
        taken = {_code(identity(element)) for element in original}
        twins: dict[int, list[Element]] = {}
        for site in sorted(sites, key=lambda site: not _is_hosted(identity(site))):
            new = [_renamed(site, twin) for twin in TWINS]
            twins[id(site)] = [element for element in new if _code(identity(element)) not in taken]
            taken.update(_code(identity(element)) for element in twins[id(site)])
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
            between = comma if isinstance(comma, cst.Comma) else _COMMA
            return [*(each.with_changes(comma=between) for each in (element, *twins[:-1])), twins[-1]]
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
            lambda element: element.value if isinstance(element.value, _NAMES) else _BARE,
        )
        return updated_node.with_changes(elements=elements)

    leave_List = leave_Set = leave_Tuple = _leave_sequence

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.Subscript:
        if get_full_name_for_node(original_node.value) not in ("Literal", "typing.Literal"):
            return updated_node
        elements = self._twinned("literal", original_node.slice, updated_node.slice, lambda element: element.slice)
        return updated_node.with_changes(slice=elements)

    def visit_DictElement(self, node: cst.DictElement) -> bool:
        return not PROVIDER.search(_code(node.key))

    def leave_Dict(self, original_node: cst.Dict, updated_node: cst.Dict) -> cst.Dict:
        elements: Any = self._twinned(
            "entry",
            original_node.elements,  # type: ignore[type-var]
            updated_node.elements,  # type: ignore[type-var]
            lambda element: element.key if isinstance(element, cst.DictElement) else _BARE,
        )
        return updated_node.with_changes(elements=elements)

    # Statements

    def _rule_of(self, statement: cst.CSTNode, top_level: bool) -> str | None:
        if not any(PROVIDER.search(name) for name in _bound_names(statement)):
            return None
        if isinstance(statement, cst.FunctionDef):
            return "function" if top_level else None
        return "import" if _import_of(statement) else "variable"

    def _visit_body(self, node: cst.Module | cst.IndentedBlock) -> None:
        if self._muted:
            return
        for statement in node.body:
            rule = self._rule_of(statement, isinstance(node, cst.Module))
            if rule and (rule in self.rules or self._exempted(statement)):
                self._whole.add(id(statement))

    visit_Module = visit_IndentedBlock = _visit_body

    def _visit_statement(self, node: cst.CSTNode) -> bool:
        return id(node) not in self._whole

    visit_FunctionDef = _visit_statement

    def visit_SimpleStatementLine(self, node: cst.SimpleStatementLine) -> bool:
        if _import_of(node) and id(node) not in self._whole and not self._muted and "import" in self.rules:
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
        taken = self.taken if top_level else {name for s in original_node.body for name in _bound_names(s)}
        twins: dict[int, list[cst.CSTNode]] = {}
        for site in sorted(sites, key=lambda site: not any(HOSTED.search(name) for name in _bound_names(site))):
            new = [_renamed(self._only_provider_names(site), twin) for twin in TWINS]
            new = [statement for statement in new if not taken.issuperset(_bound_names(statement))]
            taken.update(name for statement in new for name in _bound_names(statement))
            twins[id(site)] = _merged_imports(new)
            self._note(site, str(self._rule_of(site, top_level)) if new else COVERED)
        body: list[cst.CSTNode] = []
        for before, statement in zip(original_node.body, updated_node.body, strict=True):
            body.append(statement)
            body.extend(twins.get(id(before), []))
        return updated_node.with_changes(body=body)

    leave_Module = leave_IndentedBlock = _leave_body

    @staticmethod
    def _only_provider_names(statement: Any) -> Any:
        # A twin starts without the comments above its original, and imports nothing that is already imported.
        blank = [cst.EmptyLine(indent=False)] * 2 if isinstance(statement, cst.FunctionDef) else []
        statement = statement.with_changes(leading_lines=blank)
        if small := _import_of(statement):
            all_names: Any = small.names
            names = [alias for alias in all_names if PROVIDER.search(_code(alias))]
            if len(names) < len(all_names):
                names[-1] = names[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
            statement = statement.with_changes(body=[small.with_changes(names=names)])
        return statement

    # Branches

    def visit_If(self, node: cst.If) -> None:
        if id(node) in self._chained or self._muted or "branch" not in self.rules:
            return
        chain = [node]
        while isinstance(chain[-1].orelse, cst.If):
            chain.append(chain[-1].orelse)
        self._chained.update(id(branch) for branch in chain)
        self._plan({branch: branch.test for branch in chain if _tests_only_provider(branch.test)})

    def visit_Match(self, node: cst.Match) -> None:
        if not self._muted and "case" in self.rules:
            self._plan({case: case.pattern for case in node.cases if PROVIDER.search(_code(case.pattern))})

    def _plan(self, sites: Mapping[Any, cst.CSTNode]) -> None:
        """Notes alternatives that are sites, each with what it tests: all are twinned as a whole, or covered."""
        self._whole.update(map(id, sites))
        if any(_is_hosted(test) and not self._exempted(site, site.body) for site, test in sites.items()):
            self._covered.update(id(site) for site, test in sites.items() if not _is_hosted(test))

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
        orelse = updated_node.orelse
        for twin in () if covered else reversed(TWINS):
            branch = _renamed(original_node.with_changes(orelse=None, leading_lines=()), twin)
            orelse = branch.with_changes(orelse=orelse)
        return updated_node.with_changes(orelse=orelse)

    def leave_Comparison(
        self, original_node: cst.Comparison, updated_node: cst.Comparison
    ) -> cst.Comparison | cst.BooleanOperation:
        twinned = self._operands.get(id(original_node))
        if twinned is None or self._muted or "operand" not in self.rules or self._exempted(original_node):
            return updated_node
        self._note(original_node, "operand" if twinned else COVERED)
        test: cst.Comparison | cst.BooleanOperation = updated_node
        for twin in TWINS if twinned else ():
            test = cst.BooleanOperation(left=test, operator=cst.Or(), right=_renamed(original_node, twin))
        return test

    def visit_BooleanOperation(self, node: cst.BooleanOperation) -> None:
        operands = [operand for operand in _operands(node) if _tests_provider(operand)]
        hosted = any(map(_is_hosted, operands))
        for operand in operands:  # the outermost `or` is visited first, and sees them all
            self._operands.setdefault(id(operand), _is_hosted(operand) or not hosted)

    def leave_MatchCase(self, original_node: cst.MatchCase, updated_node: cst.MatchCase) -> Any:
        if id(original_node) not in self._whole or self._exempted(original_node, original_node.body):
            return updated_node
        covered = id(original_node) in self._covered
        self._note(original_node, COVERED if covered else "case", original_node.body)
        twins = () if covered else TWINS
        case = original_node.with_changes(leading_lines=())
        return cst.FlattenSentinel([updated_node, *(_renamed(case, twin) for twin in twins)])


def wire(
    source: str, exempt: Callable[[str], str | None], rules: Iterable[str] = tuple(RULES)
) -> tuple[str, dict[int, str]]:
    """
    Applies the rules to one module.

    Args:
        source: the module's text.
        exempt: tells why the site that begins on a line is left alone, or None.
        rules: names of the rules to apply, of RULES.

    Returns:
        The wired text, and the rule or reason that explains each mention, by line number (from 1).

    Raises:
        SyntaxError: `source` is not Python.
    """
    statements = ast.parse(source).body
    lines = source.split("\n")
    explained = {
        number: COMMENT for number, line in enumerate(lines, 1) if line.startswith("#") and MENTION.search(line)
    }
    taken = {name for statement in statements for name in _module_names(statement)}
    # Only the statements that name a provider are parsed with their formatting: that is what costs time.
    spans = [(_first_line(statement), statement.end_lineno or 0) for statement in statements]
    texts = {span: "\n".join(lines[span[0] - 1 : span[1]]) + "\n" for span in spans}
    sites = [span for span in spans if MENTION.search(texts[span])]
    for span in sorted(sites, key=lambda span: not HOSTED.search(texts[span])):
        wiring = Wiring(texts[span].split("\n"), exempt, rules, taken)
        module = MetadataWrapper(cst.parse_module(texts[span]), unsafe_skip_copy=True).visit(wiring)
        texts[span] = module.code
        explained.update({span[0] - 1 + number: reason for number, reason in wiring.explained.items()})
    for first, last in reversed(sites):
        lines[first - 1 : last] = [texts[first, last].removesuffix("\n")]
    return "\n".join(lines), explained


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
