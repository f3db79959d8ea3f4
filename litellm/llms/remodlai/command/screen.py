"""
What the commands write. Where somebody looks, by rich, if it is installed (LiteLLM's extras `cli` and `proxy` bring
it); in a pipe, and without rich, plain text.
"""

import json
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Final

from litellm.llms.remodlai.engine.progress import printable

HAS_RICH: Final = find_spec("rich") is not None
if HAS_RICH:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

GAP: Final = "  "
UNIT: Final = 1024
UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")


def say(line: str) -> None:
    """Writes a line to stdout."""
    sys.stdout.write(f"{line}\n")


def complain(line: str) -> None:
    """Writes one sentence to stderr."""
    sys.stderr.write(f"{printable(line)}\n")


def say_json(document: Mapping[str, object]) -> None:
    """Writes the one JSON document of a command."""
    say(json.dumps(document, indent=2))


def say_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """
    Writes a table: no value can break its lines, or do anything to the terminal.

    Args:
        heads: names of the columns.
        rows: a value for each column.
    """
    shown: Final = [[printable(value) for value in row] for row in rows]
    if HAS_RICH and sys.stdout.isatty():
        table: Final = Table(*heads, box=None, pad_edge=False, header_style="bold")
        for row in shown:
            table.add_row(*map(Text, row))  # a name may look like rich's markup
        Console().print(table)
        return
    widths: Final = [max(map(len, column)) for column in zip(heads, *shown, strict=True)]
    for line in (heads, *shown):
        say(GAP.join(value.ljust(width) for value, width in zip(line, widths, strict=True)).rstrip())


def say_piece(text: str, is_thought: bool = False) -> None:
    """
    Writes a piece of an answer as it comes; a terminal gets none of the control characters that a model may write.

    Args:
        text: the piece.
        is_thought: whether it is the model's reasoning, which is shown to who looks, and in no pipe.
    """
    is_seen: Final = sys.stdout.isatty()
    if is_thought and not is_seen:
        return
    shown: Final = without_controls(text, "\n\t") if is_seen else text
    if is_thought and HAS_RICH:
        Console(highlight=False, soft_wrap=True).print(Text(shown, style="dim"), end="")
        return
    sys.stdout.write(shown)
    sys.stdout.flush()


def without_controls(text: str, kept: str) -> str:
    """Returns a text without the characters that a terminal obeys, but for those that are kept."""
    return "".join(each for each in text if each in kept or unicodedata.category(each) != "Cc")


def size(count: float | None) -> str:
    """Returns a number of bytes in words."""
    if count is None:
        return "-"
    largest: Final = len(UNITS) - 1
    power: Final = next((power for power in range(largest) if count < UNIT ** (power + 1)), largest)
    return f"{count / UNIT**power:.1f} {UNITS[power]}" if power else f"{count:.0f} B"
