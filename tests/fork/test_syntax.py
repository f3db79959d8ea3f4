"""A module is parsed in a process where finalizers parse as well, as those of the other tests do."""

import ast
import gc
from collections.abc import Callable
from pathlib import Path

import pytest

from fork.source import ROOT
from fork.syntax import parsed

SOURCE = Path(ast.__file__).read_text()


class Parsing:
    """Garbage in a circle, so that the collector finds it; its end parses, as a printed traceback does."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        ast.parse("call(a[1])")


@pytest.mark.parametrize("parse", [parsed, lambda source: parsed(source.encode())])
def test_a_finalizer_that_parses_does_no_harm(parse: Callable[[str], ast.Module]) -> None:
    threshold = gc.get_threshold()
    gc.set_threshold(50)
    try:
        for _ in range(50):
            for _ in range(5):
                Parsing()
            parse(SOURCE)
    finally:
        gc.set_threshold(*threshold)
        gc.collect()  # else the last of them would parse while something else does


def test_nothing_else_parses() -> None:
    """What parses otherwise fails in a process that does more, now and then."""
    files = [path for folder in ("fork", "tests") for path in sorted((ROOT / folder).rglob("*.py"))]
    others = [path for path in files if path.name not in ("syntax.py", "test_syntax.py")]
    assert [path for path in others if "ast.parse(" in path.read_text()] == []


def test_the_collector_is_left_as_it_was() -> None:
    parsed("x = 1")
    assert gc.isenabled()
    with pytest.raises(SyntaxError):
        parsed("x =")
    assert gc.isenabled()
    gc.disable()
    try:
        parsed("x = 1")
        assert not gc.isenabled()
    finally:
        gc.enable()
