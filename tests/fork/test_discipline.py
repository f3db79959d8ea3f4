"""The rules of type discipline: each finds what it is about, nothing else, and nothing that a reason is given for."""

import pytest

from .discipline import findings


def rules(source: str) -> list[tuple[int, str]]:
    return [(finding.line, finding.rule) for finding in findings(source)]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("import os  # noqa", "LIT003"),
        ("import os  # noqa: F401", "LIT003"),
        ("f(cast(int, a))", "LIT006"),
        ("f(typing.cast(int, a))", "LIT006"),
        ("def f(**call): ...", "LIT008"),
        ("f(lambda **call: 1)", "LIT008"),
        ("import os  # type: ignore[import]", "LIT009"),
        ("a = 1", "LIT010"),
        ("a: int = 1", "LIT010"),
        ("(a, b), a = c", "LIT010"),
        ("def f(a): a = 1", "LIT011"),
        ("def f(a): (a, b) = c", "LIT011"),
        ("def f(*a): a += 1", "LIT011"),
        ("def f(a): del a", "LIT011"),
        ("def f(a): f(a := 1)", "LIT011"),
        ("f(lambda a: (a := 1))", "LIT011"),
        ("class A(TypedDict): a: int", "LIT012"),
        ("a: Final = 1  # rebind-ok: it is never bound again", "LIT013"),
        ("f([a for a in b for c in a])", "LIT014"),
        ("f({a: 1 for a in b if a if c})", "LIT014"),
    ],
)
def test_a_rule_finds_what_it_is_about(line: str, rule: str) -> None:
    assert rules(f"{line}\n") == [(1, rule)]


@pytest.mark.parametrize(
    "line",
    [
        "import os  # noqa: F401  # upstream reads it here",
        "a = cast(int, b)  # cast-ok: checked above  # rebind-ok: counts up",
        "def f(**call): ...  # kwargs-ok: passed on",
        "a = 1  # rebind-ok: counts up",
        "def f(a): a = 1  # rebind-ok: counts up",
        "class A(TypedDict): a: int  # writable-ok: a hook fills it",
        "f([a for a in b for c in a])  # comprehension-ok: a table",
        "a: Final = 1",
        "a: typing.Final[int] = 1",
        "A: TypeAlias = int",
        "a, b = c",
        "__all__ = ['a']",
        "_ = a",
        "a: int",
        "a[0] = b.c = 1",
        "f([a := b])",
        "class A: a = 1",
        "class A(TypedDict): a: Required[ReadOnly[int]]",
        "def f(a): a.b = a[0] = 1",
        "for a in b: c = a; c += 1",
        "while a: (b := 1)",
        "with a as b: f(b)",
        "f([a for a in b if a])",
        "f([[a for a in b] for b in c])",
    ],
)
def test_nothing_is_found(line: str) -> None:
    assert rules(f"{line}\n") == []


def test_a_reason_is_needed_and_is_about_its_own_line() -> None:
    assert rules("a = 1  # rebind-ok\n") == [(1, "LIT010"), (1, "LIT013")]
    assert rules("a = 1  # cast-ok: this says nothing of names\n") == [(1, "LIT010"), (1, "LIT013")]
    assert rules("# rebind-ok: counts up\na = 1\n") == [(1, "LIT013"), (2, "LIT010")]
    assert rules("f(\n    [\n        a for a in b  # comprehension-ok: a table\n        for c in a\n    ]\n)\n") == []


def test_a_name_is_bound_once_by_unpacking() -> None:
    assert rules("a, b = c\na, d = c\n") == [(2, "LIT010")]
    assert rules("import a\nf(a := 1)\n") == [(2, "LIT010")]
    assert rules("a: Final[int]\nif b:\n    a = 1\nelse:\n    a = 2\n") == []


def test_each_function_is_a_scope() -> None:
    assert rules("def f(a):\n    def g():\n        a = 1\n") == [(3, "LIT010")]
    assert rules("def f(a):\n    def g():\n        nonlocal a\n        a = 1\n") == [(4, "LIT010"), (4, "LIT011")]
    assert rules("class A:\n    def f(self):\n        a = 1\n") == [(3, "LIT010")]
    assert rules("def f(a, b=(a := 1)): ...\na = 2\n") == [(2, "LIT010")]


def test_a_dict_of_types_is_known_by_its_base_in_the_module() -> None:
    assert rules("class A(TypedDict, total=False):\n    a: ReadOnly[int]\nclass B(A):\n    b: int\n") == [(4, "LIT012")]
