"""
What the commands write. Where somebody looks, by rich, if it is installed (LiteLLM's extras `cli` and `proxy` bring
it); in a pipe, and without rich, plain text.
"""

import json
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from litellm.llms.remodlai.engine.progress import printable

try:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text
except ModuleNotFoundError:
    HAS_RICH = False
else:
    HAS_RICH = True

GAP: Final = "  "
UNIT: Final = 1024
UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")


def say(line: str) -> None:
    """Writes a line to stdout."""
    sys.stdout.write(f"{line}\n")


def complain(line: str) -> None:
    """Writes one sentence to stderr."""
    sys.stderr.write(f"{printable(line)}\n")


def say_json(document: Mapping[str, Any]) -> None:
    """Writes the one JSON document of a command."""
    say(json.dumps(document, indent=2))


def say_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """
    Writes a table: no value can break its lines, or do anything to the terminal.

    Args:
        heads: names of the columns.
        rows: a value for each column.
    """
    rows = [[printable(value) for value in row] for row in rows]
    if HAS_RICH and sys.stdout.isatty():
        table: Final = Table(*heads, box=None, pad_edge=False, header_style="bold")
        for row in rows:
            table.add_row(*map(Text, row))  # a name may look like rich's markup
        Console().print(table)
        return
    widths: Final = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        say(GAP.join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip())


def say_piece(text: str, is_thought: bool = False) -> None:
    """
    Writes a piece of an answer as it comes; a terminal gets none of the control characters that a model may write.

    Args:
        text: the piece.
        is_thought: whether it is the model's reasoning, which is shown to who looks, and in no pipe.
    """
    if sys.stdout.isatty():
        text = without_controls(text, "\n\t")
        if is_thought and HAS_RICH:
            Console(highlight=False, soft_wrap=True).print(Text(text, style="dim"), end="")
            return
    elif is_thought:
        return
    sys.stdout.write(text)
    sys.stdout.flush()


def without_controls(text: str, kept: str) -> str:
    """Returns a text without the characters that a terminal obeys, but for those that are kept."""
    return "".join(each for each in text if each in kept or unicodedata.category(each) != "Cc")


def size(count: float | None) -> str:
    """Returns a number of bytes in words."""
    if count is None:
        return "-"
    unit = 0
    while count >= UNIT and unit < len(UNITS) - 1:
        count /= UNIT
        unit += 1
    return f"{count:.1f} {UNITS[unit]}" if unit else f"{count:.0f} B"
