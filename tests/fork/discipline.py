"""
What upstream's check of type discipline says of a module, stated here by its numbers: the facts are ours to keep.

| number | finding | said against it, in its line |
| --- | --- | --- |
| LIT003 | `noqa` that names no rule, or says no reason | |
| LIT006 | a call of `cast` | `# cast-ok: reason` |
| LIT008 | a parameter `**kwargs` | `# kwargs-ok: reason` |
| LIT009 | `type: ignore` | |
| LIT010 | a name that `=` binds outside of loops and classes, and that is not `Final` | `# rebind-ok: reason` |
| LIT011 | a parameter that is bound again | `# rebind-ok: reason` |
| LIT012 | a field of a TypedDict that can be written | `# writable-ok: reason` |
| LIT013 | such a word where nothing is found | |
| LIT014 | a comprehension with more than one `for` or `if` | `# comprehension-ok: reason` |

Left out: LIT001 (annotations of collections that can be changed) and stores into parameters: upstream's hooks have
both.
"""

import ast
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO
from typing import NamedTuple

from fork.syntax import parsed

WORDS = {
    "LIT006": "cast",
    "LIT008": "kwargs",
    "LIT010": "rebind",
    "LIT011": "rebind",
    "LIT012": "writable",
    "LIT014": "comprehension",
}
CONSTANTS = ("Final", "TypeAlias")
_WORD = re.compile(rf"# ({'|'.join(sorted(set(WORDS.values())))})-ok(?:: \w[^#]{{2,}})?")
_NOQA = re.compile(r"# noqa: [A-Z]+\d+(, [A-Z]+\d+)*  # \S")

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class Finding(NamedTuple):
    line: int
    rule: str
    what: str


class Binding(NamedTuple):
    """A place that binds a name; `form` is `=`, `once` (unpacking, walrus), `Final`, `outer` (global), or `other`."""

    name: str
    line: int
    form: str


@dataclass
class Scope(ast.NodeVisitor):
    """
    What binds names in a module or function; functions in it are scopes of their own.

    Args:
        parameters: of the function.
        of_class: whether it is a class's body, whose names are fields.
    """

    parameters: frozenset[str] = frozenset()
    of_class: bool = False
    bindings: list[Binding] = field(default_factory=list)
    inner: list[Function | ast.ClassDef] = field(default_factory=list)
    outer: set[str] = field(default_factory=set)
    loops: int = 0

    def bind(self, target: ast.expr | None, form: str, inside: bool = False) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            for each in target.elts:
                self.bind(each, "once" if form == "=" else form)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, form)
        elif isinstance(target, ast.Name):
            # No type checker allows Final in a loop.
            loose = self.loops and form in ("=", "once")
            self.bindings.append(Binding(target.id, target.lineno, "other" if loose else form))

    def named(self, name: str | None, node: ast.stmt | ast.pattern | ast.ExceptHandler, form: str = "other") -> None:
        if name is not None:
            self.bindings.append(Binding(name, node.lineno, form))

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self.bind(target, "=")
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.bind(node.target, "=")
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        kind = node.annotation.value if isinstance(node.annotation, ast.Subscript) else node.annotation
        if _last_name(kind) in CONSTANTS:
            self.bind(node.target, "Final")
        elif node.value is not None:
            self.bind(node.target, "=")
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.bind(node.target, "once")
        self.generic_visit(node)

    def loop(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        if not isinstance(node, ast.While):
            self.bind(node.target, "other")
        self.loops += 1
        self.generic_visit(node)
        self.loops -= 1

    visit_For = visit_AsyncFor = visit_While = loop

    def visit_withitem(self, node: ast.withitem) -> None:
        self.bind(node.optional_vars, "other")
        self.generic_visit(node)

    def visit_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self.bind(target, "other")

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self.named(node.name, node)
        self.generic_visit(node)

    def imports(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            self.named((alias.asname or alias.name).partition(".")[0], node)

    visit_Import = visit_ImportFrom = imports

    def outer_names(self, node: ast.Global | ast.Nonlocal) -> None:
        self.outer.update(node.names if isinstance(node, ast.Nonlocal) else ())
        for name in node.names:
            self.named(name, node, "outer")

    visit_Global = visit_Nonlocal = outer_names

    def pattern(self, node: ast.MatchAs | ast.MatchStar) -> None:
        self.named(node.name, node)
        self.generic_visit(node)

    visit_MatchAs = visit_MatchStar = pattern

    def function(self, node: Function) -> None:
        """Only what is evaluated where the function is defined belongs to this scope."""
        defaults = [each for each in (*node.args.defaults, *node.args.kw_defaults) if each is not None]
        for part in (*defaults, *([] if isinstance(node, ast.Lambda) else node.decorator_list)):
            self.visit(part)
        if not isinstance(node, ast.Lambda):
            self.named(node.name, node)
        self.inner.append(node)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = function

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(part)
        self.named(node.name, node)
        self.inner.append(node)

    def findings(self, of_others: frozenset[str] = frozenset()) -> Iterator[Finding]:
        """
        Findings of this scope and those in it.

        Args:
            of_others: parameters of the functions around it.
        """
        final = {binding.name for binding in self.bindings if binding.form == "Final"}
        before: set[str] = set()
        for name, line, form in self.bindings:
            if name in self.parameters | (self.outer & of_others) and form != "outer":
                yield Finding(line, "LIT011", f"the parameter {name} is bound again")
            exempt = self.of_class or name in final | self.parameters or name == "_" or re.fullmatch("__.+__", name)
            if not exempt and (form == "=" or form == "once" and name in before):
                yield Finding(line, "LIT010", f"{name} is not Final")
            before.add(name)
        for node in self.inner:
            around = of_others if self.of_class else self.parameters | (of_others - self.parameters)
            yield from scope_of(node).findings(around)


def scope_of(node: ast.Module | ast.ClassDef | Function) -> Scope:
    scope = Scope(parameters_of(node) if isinstance(node, Function) else frozenset(), isinstance(node, ast.ClassDef))
    for part in [node.body] if isinstance(node, ast.Lambda) else node.body:
        scope.visit(part)
    return scope


def parameters_of(node: Function) -> frozenset[str]:
    of = node.args
    all_of = (*of.posonlyargs, *of.args, *of.kwonlyargs, of.vararg, of.kwarg)
    return frozenset(each.arg for each in all_of if each is not None)


def _last_name(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


def _of_syntax(tree: ast.Module) -> Iterator[Finding]:
    typed_dicts = {"TypedDict"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("cast", "typing.cast"):
            yield Finding(node.lineno, "LIT006", "cast is believed, not checked")
        elif isinstance(node, Function) and node.args.kwarg is not None:
            yield Finding(node.args.kwarg.lineno, "LIT008", f"**{node.args.kwarg.arg} hides the parameters")
        elif isinstance(node, ast.ClassDef) and not typed_dicts.isdisjoint(map(_last_name, node.bases)):
            typed_dicts.add(node.name)
            for each in node.body:
                if isinstance(each, ast.AnnAssign) and "ReadOnly[" not in ast.unparse(each.annotation):
                    yield Finding(each.lineno, "LIT012", f"{ast.unparse(each.target)} can be written")
        elif isinstance(node, COMPREHENSIONS) and (len(node.generators) > 1 or len(node.generators[0].ifs) > 1):
            yield Finding(node.lineno, "LIT014", "a comprehension of several steps")


def findings(source: str) -> list[Finding]:
    """
    Finds what the rules say of a module.

    Args:
        source: its text.

    Returns:
        Findings against which nothing is said, by line.
    """
    tree = parsed(source)
    tokens = [each for each in tokenize.generate_tokens(StringIO(source).readline) if each.type == tokenize.COMMENT]
    comments = {token.start[0]: token.string for token in tokens}
    ends = {node.lineno: node.end_lineno or 0 for node in ast.walk(tree) if isinstance(node, COMPREHENSIONS)}
    said = {(line, match[1]) for line, text in comments.items() for match in _WORD.finditer(text) if ":" in match[0]}
    left, used = [], set()
    for finding in [*scope_of(tree).findings(), *_of_syntax(tree)]:
        last = ends.get(finding.line, finding.line) if finding.rule == "LIT014" else finding.line
        against = {(line, WORDS[finding.rule]) for line in range(finding.line, last + 1)} & said
        used |= against
        if not against:
            left.append(finding)
    for line, text in comments.items():
        if "noqa" in text and not _NOQA.search(text):
            left.append(Finding(line, "LIT003", text))
        if re.search(r"#\s*type:\s*ignore", text):
            left.append(Finding(line, "LIT009", text))
        for match in _WORD.finditer(text):
            if (line, match[1]) not in used:
                left.append(Finding(line, "LIT013", text))
    return sorted(left)
