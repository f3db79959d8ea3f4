"""Lines that a twin has made too long: broken as upstream's formatter breaks them, which is asked here."""

import subprocess
import sys

import pytest

from fork.twins.layout import LIMIT, fitted

SOME = ", ".join(f'"provider_number_{number}"' for number in range(5))  # 103 characters
MORE = ", ".join(f'"provider_number_{number}"' for number in range(7))
KEYS = "the_first_of_all_the_keys or the_second_of_all_the_keys"


def formatted(code: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--isolated", f"--line-length={LIMIT}", "-"]
    return subprocess.run(command, input=code, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    "code",
    [
        f"providers: Final[list[str]] = [{SOME}]",
        f"providers: Final = {{{MORE}}}",
        f'providers = {{"first": ({SOME}), "second": 2}}',
        f"PROVIDERS: Final[frozenset[str]] = frozenset({{{SOME}}})",
        f"PROVIDERS: Final[frozenset[str]] = frozenset({{{MORE}}})",
        f"Provider: TypeAlias = typing.Literal[{SOME}, 1]",
        f"Provider: TypeAlias = typing.Literal[{MORE}]",
        f"def create(\n    one: int,\n    provider: Literal[{SOME}] = 1,\n): ...",
        f"def create(\n    one: int,\n    provider: Literal[\n        {SOME}, 12345678\n    ] = 1,\n): ...",
        f"class A:\n    def create(self):\n        if self.provider not in ({SOME}):\n            pass",
        f"entries = {{\n    'a': 1,\n    'b': (lambda: litellm.first({SOME}), False),\n}}".replace("'", '"'),
        f"if a:\n    key = {KEYS} or the_last(name, 'with', 'arguments', {{'that': 'are'}}, 5)".replace("'", '"'),
        f"if a:\n    key = {KEYS} or the_last(f'{{a, b}}', 'with', 'more', 'arguments', 'than', 7)".replace("'", '"'),
        f"from litellm.llms.remodlai.{'a' * 30}.transformation import HostedLexiqNovaFirstThing, LexiqNovaFirstThing",
    ],
)
def test_as_the_formatter_does(code: str) -> None:
    assert max(map(len, code.split("\n"))) > LIMIT
    assert fitted(code, "") == formatted(code).removesuffix("\n")


def test_what_was_too_long_before_stays() -> None:
    code = f"x = f({MORE})\n"
    assert fitted(code, code) == code


def test_a_text_is_cut_at_the_end_of_a_sentence() -> None:
    first, second = (
        "This provider needs the address of a server.",
        "Name it in the call, or by the environment's variable {name.upper()}_API_BASE.",
    )
    code = f'raise ValueError(\n    f"{first} {second}"\n)\n'
    assert fitted(code, "") == f'raise ValueError(\n    "{first} "\n    f"{second}"\n)\n'


def test_a_text_of_one_sentence_is_cut_at_a_word() -> None:
    words = " ".join(["word"] * 30)
    after = fitted(f'call(\n    "{words}",\n)\n', "")
    assert after == f'call(\n    "{words[:110]}"\n    "{words[110:]}",\n)\n'
    assert formatted(after) == after


def test_what_cannot_be_broken_stays() -> None:
    code = f"x = {'a' * LIMIT}\n\ncall(\n    '{'b' * LIMIT}'\n)\n"
    assert fitted(code, "") == code
