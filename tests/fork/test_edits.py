"""Explicit edits: where the inserted code lands, and when an edit is refused."""

import json
from textwrap import dedent

import pytest

from fork.edit import Edit
from fork.edits import EDITS, JSON_VALUES, by_path, exempt
from fork.lock import ForkError
from fork.wiring import Wired

SOURCE = dedent('''\
    """A module."""

    from typing import overload

    key: str = ""
    other = 1  # a comment


    @overload
    def call(a: int) -> int: ...
    @overload
    def call(a: str) -> str: ...


    @first
    @second(
        "x",
    )
    async def call(a):
        """What it does.

        More of it.
        """
        # a comment
        return a


    def inner(a):
        if a:
            found = 1
        return a


    class Client:
        size = 1
        sizes: Final = frozenset(
            {
                1,
                2,
            }
        )

        def make(self):
            return Request(
                url=self.url,
                timeout=3,
            )

        def only_documented(self):
            """Nothing else."""
''')


def applied(symbol: str, where: str, code: str = "ours = 1", source: str = SOURCE) -> str:
    return Edit("an-edit", "litellm/x.py", symbol, where, code, "a reason").applied(source)


def inserted(text: str) -> list[tuple[int, str]]:
    """The lines that are new, by number."""
    before = SOURCE.split("\n")
    new = []
    for number, line in enumerate(text.split("\n"), 1):
        if before and line == before[0]:
            before.pop(0)
        else:
            new.append((number, line))
    assert not before, "a line of the source is lost"
    return new


@pytest.mark.parametrize(
    ("symbol", "where", "code", "after", "lines"),
    [
        ("key", "after", "ours = 1", 'key: str = ""', ["ours = 1"]),
        ("other", "after", "ours = 1", "other = 1  # a comment", ["ours = 1"]),
        ("call", "after", "ours = 1", "    return a", ["ours = 1"]),
        ("Client.size", "after", "a = 1\nb = 2", "    size = 1", ["    a = 1", "    b = 2"]),
        ("Client", "after", "ours = 1", '        """Nothing else."""', ["ours = 1"]),
        ("call", "above", "@ours", ")", ["@ours"]),
        ("Client.make", "above", "@ours", "", ["    @ours"]),
        ("call", "start", "if a:\n    a = 1", "    # a comment", ["    if a:", "        a = 1"]),
        ("Client.make", "start", "ours = 1", "    def make(self):", ["        ours = 1"]),
        ("Client.sizes", "element", "3,", "        {", ["            3,"]),
        ("inner.found", "after", "ours = 1", "        found = 1", ["        ours = 1"]),
        ("Client.make", "argument", "ours=1,", "        return Request(", ["            ours=1,"]),
    ],
)
def test_where_code_lands(symbol: str, where: str, code: str, after: str, lines: list[str]) -> None:
    text = applied(symbol, where, code)
    new = inserted(text)
    assert [line for _, line in new] == lines
    assert text.split("\n")[new[0][0] - 2] == after


def replaced(symbol: str, expression: str, source: str = SOURCE) -> str:
    return Edit("an-edit", "litellm/x.py", symbol, "instead", "ours()", "a reason", replaces=expression).applied(source)


def test_code_stands_instead_of_an_expression() -> None:
    assert replaced("Client.make", "self.url") == SOURCE.replace("url=self.url,", "url=ours(),")
    assert replaced("Client.make", "Request(url = self.url, timeout = 3)") == SOURCE.replace(
        "return Request(\n            url=self.url,\n            timeout=3,\n        )", "return ours()"
    )
    assert replaced("each", "a.b", "def each(a):\n    return 'ü', a.b  # ü\n").endswith("'ü', ours()  # ü\n")


@pytest.mark.parametrize(("symbol", "count"), [("Client.only_documented", 0), ("twice", 2)])
def test_an_expression_that_is_not_there_once_is_refused(symbol: str, count: int) -> None:
    source = SOURCE + "\n\ndef twice(self):\n    return self.url, self.url\n"
    with pytest.raises(ForkError, match=rf"litellm/x\.py: edit 'an-edit' found `self\.url` {count} times"):
        replaced(symbol, "self.url", source)


@pytest.mark.parametrize(
    ("symbol", "statements", "code"),
    [
        ("call", "    return a\n", "    ours = 1\n"),  # its docstring and comment stay
        ("inner", "    if a:\n        found = 1\n    return a\n", "    ours = 1\n"),
        (
            "Client.make",
            "        return Request(\n            url=self.url,\n            timeout=3,\n        )\n",
            "        ours = 1\n",
        ),
    ],
)
def test_a_body_takes_the_place_of_a_functions_statements(symbol: str, statements: str, code: str) -> None:
    assert applied(symbol, "body") == SOURCE.replace(statements, code, 1)


def test_an_empty_line_of_the_code_has_no_indentation() -> None:
    assert "\n\n" in applied("Client.size", "after", "a = 1\n\nb = 2")
    assert "    \n" not in applied("Client.size", "after", "a = 1\n\nb = 2")


@pytest.mark.parametrize("symbol", ["missing", "Client.missing", "missing.size"])
def test_a_symbol_that_is_not_there_is_refused(symbol: str) -> None:
    with pytest.raises(ForkError, match=rf"litellm/x\.py: edit 'an-edit' found `{symbol}` 0 times"):
        applied(symbol, "after")


def test_a_symbol_that_is_there_twice_is_refused() -> None:
    with pytest.raises(ForkError, match="found `key` 2 times"):
        applied("key", "after", source="key = 1\nkey = 2\n")


def test_overloads_do_not_count() -> None:
    assert applied("call", "start").count("ours = 1") == 1


@pytest.mark.parametrize(
    ("symbol", "where"),
    [
        ("Client.only_documented", "start"),
        ("Client.only_documented", "argument"),
        ("Client.only_documented", "body"),
        ("key", "start"),
        ("key", "body"),
        ("call", "argument"),
        ("other", "element"),
    ],
)
def test_a_place_that_is_not_there_is_refused(symbol: str, where: str) -> None:
    with pytest.raises(ForkError, match=f"found no {where} in `{symbol}`"):
        applied(symbol, where)


def test_every_edit_is_in_the_pinned_release(wired: Wired) -> None:
    for edit in EDITS:
        for line in filter(None, map(str.strip, edit.code.split("\n"))):
            assert line in wired.files[edit.path], f"{edit.name}: {line}"


def test_an_edit_follows_its_symbol_into_another_file() -> None:
    moved = {edit.moved_to for edit in EDITS if edit.moved_to}
    before, after = by_path(lambda path: False), by_path(lambda path: True)
    assert moved and moved <= after.keys() and not moved & before.keys()
    assert sum(map(len, before.values())) == sum(map(len, after.values())) == len(EDITS)


def test_every_value_is_in_the_pinned_release(wired: Wired) -> None:
    for path, providers in JSON_VALUES.items():
        for values in providers.values():
            for name, value in values.items():
                line = f'"{name.split(".")[-1]}": {json.dumps(value)}'
                assert line in wired.files[path], line


def test_exemptions_are_bound_to_file_and_line() -> None:
    assert exempt("litellm/main.py", "    vllm_handler,") == (
        "exempt: upstream's in-process vllm.LLM path: our local provider talks to a server"
    )
    assert exempt("litellm/other.py", "    vllm_handler,") is None
    assert exempt("litellm/main.py", 'provider == "vllm"') is None
    assert exempt("litellm/proxy/README.md", "anything") == "exempt: documentation"
