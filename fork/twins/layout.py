"""
Lines that a twin has made too long, broken as `ruff format` breaks them.
"""

import keyword
import re
import token
import tokenize
from dataclasses import dataclass, field
from io import StringIO

LIMIT = 120
_PAIRS = {"(": ")", "[": "]", "{": "}"}
# From Python 3.12 on, the braces of an f-string are tokens of their own.
_F_STRING = (getattr(token, "FSTRING_START", -1), getattr(token, "FSTRING_END", -1))
_ASSIGNMENT = re.compile(r"(?P<target>\s*[\w.]+) = (?P<value>.+)")
_TEXT = re.compile(r'(?P<indent>\s*)(?P<prefix>f?)"(?P<text>[^"\\]+)"(?P<comma>,?)')

Place = tuple[int, int]  # line, from 1, and column


@dataclass
class _Brackets:
    """A pair of brackets. The content of a `trailer` (a call, a subscript) may stand on a line of its own."""

    start: Place
    trailer: bool
    end: Place = (0, 0)
    commas: list[Place] = field(default_factory=list)
    ors: list[Place] = field(default_factory=list)


def _brackets(code: str) -> list[_Brackets]:
    """All pairs, outer ones before inner ones; the first stands for the whole of the code."""
    pairs = [_Brackets((0, 0), trailer=False)]
    opened = [pairs[0]]
    before, texts = "", 0
    for item in tokenize.generate_tokens(StringIO(code).readline):
        texts += (item.type == _F_STRING[0]) - (item.type == _F_STRING[1])
        if item.type in (token.OP, token.NAME) and not texts:
            if item.string in _PAIRS:
                follows_value = before in (")", "]") or before.isidentifier() and not keyword.iskeyword(before)
                opened.append(_Brackets(item.start, follows_value and item.string != "{"))
                pairs.append(opened[-1])
            elif item.string in _PAIRS.values():
                opened.pop().end = item.start
            elif item.string == ",":
                opened[-1].commas.append(item.start)
            elif item.string == "or":
                opened[-1].ors.append(item.start)
        before = item.string
    return pairs


def _one_per_line(line: str, indent: str, start: int, commas: list[int], end: int) -> list[str]:
    bounds = [start, *(comma + 1 for comma in commas), end]
    elements = [line[left:right].strip().removesuffix(",") for left, right in zip(bounds, bounds[1:], strict=False)]
    return [f"{indent}{element}," for element in elements if element]


def _broken(code: str, number: int) -> list[str] | None:
    """The lines that stand for one that is too long, or None where nothing in it can be broken."""
    line = code.split("\n")[number - 1]
    indent = line[: len(line) - len(line.lstrip())]
    deeper = indent + "    "
    if line.lstrip().startswith("from ") and "(" not in line:
        head, names = line.split(" import ")
        return [f"{head} import (", *(f"{deeper}{name.strip()}," for name in names.split(",")), f"{indent})"]
    whole, *pairs = _brackets(code)
    around = [pair for pair in pairs if pair.start[0] == number - 1 and pair.end[0] == number + 1]
    if around and around[-1].commas and not line.endswith(","):
        return _one_per_line(line, indent, 0, [column for _, column in around[-1].commas], len(line))
    if around and around[-1].ors:
        starts = [0, *(column for _, column in around[-1].ors), len(line)]
        return [indent + line[left:right].strip() for left, right in zip(starts, starts[1:], strict=False)]
    if any(place[0] == number for place in whole.ors) and (match := _ASSIGNMENT.fullmatch(line)):
        return [f"{match['target']} = (", deeper + match["value"], f"{indent})"]
    inside = [pair for pair in pairs if pair.start[0] == pair.end[0] == number and pair.end[1] - pair.start[1] > 1]
    outer = [pair for pair in inside if not any(other.start < pair.start and pair.end < other.end for other in inside)]
    if outer:
        pair = outer[-1]
        start, end = pair.start[1] + 1, pair.end[1]
        content = [deeper + line[start:end].strip()]
        if not pair.trailer:
            content = _one_per_line(line, deeper, start, [column for _, column in pair.commas], end)
        return [line[:start], *content, indent + line[end:]]
    return _broken_text(line) if around else None


def _broken_text(line: str) -> list[str] | None:
    """A string alone on its line becomes two, at the end of a sentence if it can."""
    if not (match := _TEXT.fullmatch(line)):
        return None
    text, room = match["text"], LIMIT - len(match["indent"]) - len('f""')
    # A space in braces belongs to an expression.
    ends = [space.end() for space in re.finditer(r" (?![^{]*\})", text) if space.end() <= room]
    if not ends:
        return None
    cut = next((end for end in reversed(ends) if text[: end - 1].endswith(".")), ends[-1])
    parts = [f'{match["indent"]}{match["prefix"] if "{" in part else ""}"{part}"' for part in (text[:cut], text[cut:])]
    return [parts[0], parts[1] + match["comma"]]


def fitted(code: str, original: str) -> str:
    """
    Breaks the lines that are too long, but those that `original` has as well.

    Args:
        code: a statement, formatted but for long lines.
        original: it before it was changed.
    """
    kept = set(original.split("\n"))
    while True:
        lines = code.split("\n")
        for number, line in enumerate(lines, 1):
            if len(line) > LIMIT and line not in kept and (broken := _broken(code, number)):
                lines[number - 1 : number] = broken
                code = "\n".join(lines)
                break
        else:
            return code
