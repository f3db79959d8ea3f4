"""
The form of an explicit edit: upstream's text before and after it, and when it is refused.

The functions that stand in tests are what they insert. Nothing calls them.
"""

# ruff: noqa: F821, F841
# mypy: disable-error-code="name-defined"
from collections.abc import Callable
from functools import lru_cache
from textwrap import dedent
from typing import Any

import pytest

from fork.edit import Edit, Part
from fork.lock import ForkError
from fork.places import File, NoPlace
from fork.releases import holds


def edit(**options: Any) -> Edit:
    return Edit("fork.edits.an_edit", "Why it is made.\n\nMore.", "a-patch", **options)


def applied(an_edit: Edit, before: str, version: str = "1.100.0") -> str:
    file = File("litellm/x.py", dedent(before))
    return file.edited([(change, file.splices(change)) for change in an_edit.places(version)])


def check(an_edit: Edit, before: str, after: str) -> None:
    assert applied(an_edit, before) == dedent(after)


def test_its_module_says_what_it_is_called_and_why() -> None:
    assert edit().name == "an-edit"
    assert edit().reason == "Why it is made"


# After a symbol


def test_after_a_variable() -> None:
    ours = edit()

    @ours.after("litellm/x.py", "key")
    def code() -> None:
        """What is said here stays here."""
        # A comment goes with the code.
        other: str | None = None

    check(
        ours,
        """\
        key: str = ""  # a comment
        last = 1
        """,
        """\
        key: str = ""  # a comment
        # A comment goes with the code.
        other: str | None = None
        last = 1
        """,
    )


def test_after_a_method_and_inside_a_block() -> None:
    ours = edit()

    @ours.after("litellm/x.py", "Client.make.found")
    def noted(found: int) -> None:
        if found:
            size = found

    @ours.after("litellm/x.py", "Client.make")
    def also() -> None:
        def size(self: object) -> int:
            return 1

    check(
        ours,
        """\
        class Client:
            def make(self):
                if self:
                    found = 1
                return found

            def last(self): ...
        """,
        """\
        class Client:
            def make(self):
                if self:
                    found = 1
                    if found:
                        size = found
                return found

            def size(self: object) -> int:
                return 1

            def last(self): ...
        """,
    )


def test_a_function_after_a_variable_has_its_empty_lines() -> None:
    ours = edit()

    @ours.after("litellm/x.py", "key")
    def code() -> None:
        def twice(a: int) -> int:
            b = a

            return a + b

    check(
        ours,
        """\
        key = 1
        last = 2
        """,
        """\
        key = 1


        def twice(a: int) -> int:
            b = a

            return a + b


        last = 2
        """,
    )


def test_overloads_are_no_symbols() -> None:
    ours = edit()

    @ours.start("litellm/x.py", "call")
    def code() -> None:
        ours = 1

    before = """\
        @overload
        def call(a: int) -> int: ...
        def call(a):
            return a
        """
    check(ours, before, before.replace("return a", "ours = 1\n            return a"))


# At the start, as the body, as a decorator


def test_start_of_a_function_with_docstring_and_comment() -> None:
    ours = edit()

    @ours.start("litellm/x.py", "call")
    def code(a: object) -> None:
        if a:
            a = str(a)

    check(
        ours,
        '''\
        @first
        async def call(a):
            """What it does.

            More.
            """
            # a comment
            return a
        ''',
        '''\
        @first
        async def call(a):
            """What it does.

            More.
            """
            if a:
                a = str(a)
            # a comment
            return a
        ''',
    )


def test_start_of_a_class() -> None:
    ours = edit()

    @ours.start("litellm/x.py", "Client")
    def code() -> None:
        made: bool = False

    check(ours, "class Client:\n    size = 1\n", "class Client:\n    made: bool = False\n    size = 1\n")


def test_body() -> None:
    ours = edit()

    @ours.body("litellm/x.py", "call")
    def code(a: int) -> None:
        show(a)
        return relay(a)

    check(
        ours,
        '''\
        def call(a):
            """What it does."""
            if a:
                return 1
            return 2

        last = 1
        ''',
        '''\
        def call(a):
            """What it does."""
            show(a)
            return relay(a)

        last = 1
        ''',
    )


def test_decorator_is_the_innermost() -> None:
    ours = edit()

    @ours.decorator("litellm/x.py", "*.make")
    def code() -> object:
        return lru_cache(maxsize=4)

    check(
        ours,
        "from functools import lru_cache\nclass A:\n    @staticmethod\n    def make(): ...\n",
        "from functools import lru_cache\nclass A:\n    @staticmethod\n    @lru_cache(maxsize=4)\n"
        "    def make(): ...\n",
    )


# Elements


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('x = ("a", "b")\n', 'x = ("a", "b", "ours")\n'),
        (
            'x = Set(\n    {\n        "a",\n        "b",\n    }\n)\n',
            'x = Set(\n    {\n        "a",\n        "b",\n        "ours",\n    }\n)\n',
        ),
    ],
)
def test_elements_are_the_last(before: str, after: str) -> None:
    ours = edit()

    @ours.element("litellm/x.py", "x")
    def code() -> object:
        return ("ours",)

    check(ours, before, after)


def test_elements_stand_beside_one_of_theirs() -> None:
    ours = edit()

    @ours.element("litellm/x.py", "x", beside="a")
    def code() -> object:
        return {"ours": (".module", "ours"), "more": 1}

    check(
        ours,
        """\
        x: Final = {
            "a": 1,
            "b": 2,
        }
        """,
        """\
        x: Final = {
            "a": 1,
            "ours": (".module", "ours"),
            "more": 1,
            "b": 2,
        }
        """,
    )


def test_a_keyword_stands_beside_another() -> None:
    ours = edit()

    @ours.keyword("litellm/x.py", "call", beside="b")
    def code() -> object:
        return {"mounts": MOUNTS}

    check(ours, "def call():\n    return a(b=1)\n", "def call():\n    return a(b=1, mounts=MOUNTS)\n")
    before = "def call():\n    return a(\n        b=1,\n        c=2,\n    )\n"
    check(ours, before, before.replace("b=1,\n", "b=1,\n        mounts=MOUNTS,\n"))
    with pytest.raises(NoPlace, match="`call` has 2 arguments `b`, not one"):
        applied(ours, "def call():\n    return a(b=1), c(b=2)\n")
    with pytest.raises(NoPlace, match="`call` has no keyword"):
        applied(ours, "def call():\n    return a()\n")


# Instead of what stands there


def test_an_expression_instead_of_another_however_it_is_formatted() -> None:
    ours = edit()

    def old(self: Any) -> object:
        return Request(self.url, timeout=3)

    @ours.instead_of(old, "litellm/x.py", "Client.make")
    def new(self: Any) -> object:
        return request_of(self)

    check(
        ours,
        """\
        class Client:
            def make(self):
                return 'ü', Request(
                    self.url,
                    timeout=3,
                )  # ü
        """,
        """\
        class Client:
            def make(self):
                return 'ü', request_of(self)  # ü
        """,
    )


def test_a_part_stands_for_any_expression() -> None:
    ours = edit()

    def old(arguments: Part) -> object:
        return connect(arguments)

    @ours.instead_of(old, "litellm/x.py", "call")
    def new(arguments: Part) -> object:
        return connect(within(arguments), arguments)

    check(
        ours,
        "def call(a):\n    return connect({**a, 'ü': 1})\n",
        "def call(a):\n    return connect(within({**a, 'ü': 1}), {**a, 'ü': 1})\n",
    )


def test_a_part_that_is_named_twice_is_the_same_expression() -> None:
    ours = edit()

    def old(one: Part) -> object:
        return add(one, one)

    @ours.instead_of(old, "litellm/x.py", "call")
    def new(one: Part) -> object:
        return double(one)

    before = "def call(a):\n    return add(a, 1), add(a.b, a.b)\n"
    check(ours, before, before.replace("add(a.b, a.b)", "double(a.b)"))


def test_statements_instead_of_others() -> None:
    ours = edit()

    def old(a: int) -> None:
        b = a
        show(b)

    @ours.instead_of(old, "litellm/x.py", "call")
    def new(a: int) -> None:
        show(a)

    check(
        ours,
        """\
        def call(a):
            if a:
                first()
                b = a
                show( b )  # a comment
                return b
        """,
        """\
        def call(a):
            if a:
                first()
                show(a)
                return b
        """,
    )


@pytest.mark.parametrize("count", [0, 2])
def test_what_is_not_there_once_is_refused(count: int) -> None:
    ours = edit()

    def old(self: Any) -> object:
        return self.url

    @ours.instead_of(old, "litellm/x.py", "call")
    def new(self: Any) -> object:
        return self.address

    with pytest.raises(NoPlace, match=rf"litellm/x\.py: `call` has `return self\.url` {count} times, not once"):
        applied(ours, f"def call(self):\n    return [{', '.join(['self.url'] * count)}]\n")


def test_statements_cannot_replace_an_expression() -> None:
    def old() -> object:
        return first

    def new() -> None:
        last()

    with pytest.raises(ForkError, match="edit 'an-edit': `new` must be an expression as what it replaces"):
        edit().instead_of(old, "litellm/x.py", "call")(new)


def test_changes_of_one_place_keep_their_order_and_may_not_overlap() -> None:
    ours = edit()

    @ours.after("litellm/x.py", "key")
    def first() -> None:
        a = 1

    @ours.after("litellm/x.py", "key")
    def second() -> None:
        b = 2

    check(ours, "key = 0\n", "key = 0\na = 1\nb = 2\n")

    def old() -> object:
        return key(1)

    @ours.instead_of(old, "litellm/x.py", "call")
    def new() -> object:
        return key(2)

    @ours.body("litellm/x.py", "call")
    def body() -> None:
        show(3)

    with pytest.raises(ValueError, match="two edits change the same code"):
        applied(ours, "key = 0\ndef call():\n    return key(1)\n")


def test_statements_behind_others_and_any_keywords() -> None:
    ours = edit()

    def old(self: Any, rest: Part) -> None:
        a, b = self.checked(**rest)

    @ours.behind(old, "litellm/x.py", "Client.call")
    def new(a: int) -> None:
        a = more(a)

    before = """\
        class Client:
            def call(self):
                if self:
                    a, b = self.checked(
                        model=1,
                        size=2,
                    )
                return a
        """
    check(ours, before, before.replace("    return a", "        a = more(a)\n                return a"))


def test_an_argument_as_often_as_it_stands_there() -> None:
    ours = edit()

    def old(url: str) -> object:
        return url

    @ours.instead_of(old, "litellm/x.py", "call", of="self.build", times=2)
    def new(url: str) -> object:
        return parsed(url)

    before = "def call(self, url):\n    if url:\n        return self.build(url)\n    return self.build(1, url=url)\n"
    check(ours, before, before.replace("build(url)", "build(parsed(url))").replace("url=url", "url=parsed(url)"))
    with pytest.raises(NoPlace, match="has `return url` 1 times, not 2 times"):
        applied(ours, "def call(self, url):\n    return self.build(url)\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [("not given()", "not (given() or heard)"), ("given()", "given() or heard"), ("a(given())", "a(given() or heard)")],
)
def test_an_expression_stays_one_among_operators(before: str, after: str) -> None:
    ours = edit()

    def old() -> object:
        return given()

    @ours.instead_of(old, "litellm/x.py", "call")
    def new() -> object:
        return given() or heard

    check(ours, f"def call():\n    return {before}\n", f"def call():\n    return {after}\n")


def test_an_annotation_is_no_code() -> None:
    ours = edit()

    def old() -> object:
        return httpx.Client

    @ours.instead_of(old, "litellm/x.py", "call")
    def new() -> object:
        return Shared

    before = "def call(self: httpx.Client) -> httpx.Client:\n    return httpx.Client()\n"
    check(ours, before, before.replace("Client()", "Client()").replace("return httpx.Client()", "return Shared()"))


def test_an_expression_of_many_lines_is_indented_as_its_line() -> None:
    ours = edit()

    def old(a: Part) -> object:
        return mounts(a)

    @ours.instead_of(old, "litellm/x.py", "call")
    def new(a: Part) -> object:
        return wrapped(
            mounts(a),
        )

    before = "def call(a):\n    if a:\n        return client(\n            mounts=mounts(a.b),\n        )\n"
    after = before.replace("mounts(a.b)", "wrapped(\n                mounts(a.b),\n            )")
    check(ours, before, after)


# Imports


def _inserting() -> Edit:
    ours = edit()

    @ours.after("litellm/x.py", "key")
    def code() -> None:
        size = lru_cache

    return ours


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import os\n\nkey = 1\n", "import os\nfrom functools import lru_cache\n\nkey = 1\nsize = lru_cache\n"),
        (
            "from functools import wraps\nkey = 1\n",
            "from functools import lru_cache, wraps\nkey = 1\nsize = lru_cache\n",
        ),
        (
            "from functools import (\n    cache,\n    wraps,\n)\nkey = 1\n",
            "from functools import (\n    cache,\n    lru_cache,\n    wraps,\n)\nkey = 1\nsize = lru_cache\n",
        ),
        (
            "from abc import A\nfrom typing import B\nkey = 1\n",
            "from abc import A\nfrom functools import lru_cache\nfrom typing import B\nkey = 1\nsize = lru_cache\n",
        ),
        ("import httpx\n\nkey = 1\n", "from functools import lru_cache\n\nimport httpx\n\nkey = 1\nsize = lru_cache\n"),
        (
            '"""A module."""\n\nkey = 1\n',
            '"""A module."""\n\nfrom functools import lru_cache\n\nkey = 1\nsize = lru_cache\n',
        ),
        ("from functools import lru_cache\nkey = 1\n", "from functools import lru_cache\nkey = 1\nsize = lru_cache\n"),
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from functools import lru_cache\nkey = 1\n",
            "from functools import lru_cache\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
            "    from functools import lru_cache\nkey = 1\nsize = lru_cache\n",
        ),
        (
            "import abc\n\nT = int\nimport os\n\nkey = 1\n",
            "import abc\nfrom functools import lru_cache\n\nT = int\nimport os\n\nkey = 1\nsize = lru_cache\n",
        ),
    ],
)
def test_a_name_that_the_code_reads_is_imported_where_imports_are(before: str, after: str) -> None:
    assert applied(_inserting(), before) == after


def test_a_parameter_is_a_name_that_upstream_has() -> None:
    ours = edit()

    @ours.after("litellm/x.py", "key")
    def code(lru_cache: Callable[..., object]) -> None:
        size = lru_cache

    check(ours, "key = 1\n", "key = 1\nsize = lru_cache\n")


# Refusals and releases


@pytest.mark.parametrize("symbol", ["missing", "Client.missing", "missing.size", "twice"])
def test_a_symbol_that_is_not_there_once_is_refused(symbol: str) -> None:
    ours = edit()

    @ours.after("litellm/x.py", symbol)
    def code() -> None:
        a = 1

    count = 2 if symbol == "twice" else 0
    with pytest.raises(NoPlace, match=rf"litellm/x\.py: `{symbol}` is there {count} times, not once"):
        applied(ours, "class Client:\n    size = 1\ntwice = 1\ntwice = 2\n")


@pytest.mark.parametrize("how", ["start", "body", "element"])
def test_a_place_that_is_not_there_is_refused(how: str) -> None:
    ours = edit()

    @getattr(ours, how)("litellm/x.py", "key")
    def code() -> object:
        return ("a",)

    with pytest.raises(NoPlace, match=f"litellm/x.py: `key` has no {how}"):
        applied(ours, "key = 1\n")


def test_a_place_is_for_its_releases() -> None:
    ours = edit(releases=">=1.100")

    @ours.after("litellm/x.py", "old", releases="<1.109")
    @ours.after("litellm/x.py", "new", releases=">=1.109")
    def code() -> None:
        a = 1

    before = "old = 1\nnew = 1\n"
    assert applied(ours, before, "1.108.99") == "old = 1\na = 1\nnew = 1\n"
    assert applied(ours, before, "1.109.0rc1") == "old = 1\nnew = 1\na = 1\n"
    assert applied(ours, before, "1.99.9") == before


@pytest.mark.parametrize(
    ("releases", "version", "expected"),
    [
        ("", "1.0", True),
        (">=1.105, <1.110", "1.109.99", True),
        (">=1.105, <1.110", "1.110.0", False),
        ("<1.110", "1.110", False),
        (">1.9", "1.10.1", True),
        ("==1.106.1", "1.106.1.post1", True),
        ("!=1.107", "1.107.0", False),
    ],
)
def test_ranges_of_releases(releases: str, version: str, expected: bool) -> None:
    assert holds(releases, version) == expected


@pytest.mark.parametrize("releases", ["1.105", "~=1.1", ">=a", "=>1"])
def test_what_is_no_range_is_refused(releases: str) -> None:
    with pytest.raises(ValueError, match="is no comparison with a version"):
        holds(releases, "1.0")
