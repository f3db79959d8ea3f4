"""
The twin rule for lists that are kept one line per provider: the table of upstream's README, the maps of its dashboard.

These files are in upstream's source tree only, not in its wheel.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from fork.names import HOSTED, MENTION, PROVIDER, TWINS, Twin

RULES = {"line": "a table's row or a map's entry of the provider gets the twin's"}
COVERED = "covered: hosted_vllm's line carries both twins"
PICTURE = "neutral: an import of a picture"

# A row that begins with a link, a member of an enum, an entry of a map.
_ENTRY = re.compile(r"\| \[[^]]+\]\(|\s+\w+ = \"|\s+\w+: \"|\s+\[\w+\.\w+\]: ")


def with_twins(
    source: str, rules: Iterable[str] = tuple(RULES), twins: Sequence[Twin] = TWINS
) -> tuple[str, dict[int, str]]:
    """
    Applies the rule to one file.

    Args:
        source: the file's text.
        rules: names of the rules to apply, of RULES.
        twins: the twins to add.

    Returns:
        The wired text, and the rule that explains each mention, by line number (from 1).
    """
    lines = list(enumerate(source.split("\n"), 1))
    wired: list[str] = []
    explained: dict[int, str] = {}
    # One list ends where a blank line stands.
    for _, block in groupby(lines, key=lambda line: bool(line[1].strip())):
        members = list(block)
        sites = {number: line for number, line in members if "line" in rules and _is_site(line)}
        hosted = any(map(HOSTED.search, sites.values()))
        for number, line in members:
            wired.append(line)
            if line.startswith("import ") and MENTION.search(line):
                explained[number] = PICTURE
            if number in sites:
                carries = bool(HOSTED.search(line)) or not hosted
                explained[number] = "line" if carries else COVERED
                wired += [twin.rename(line) for twin in twins] if carries else []
    return "\n".join(wired), explained


def _is_site(line: str) -> bool:
    entry = _ENTRY.match(line)
    # Of a row, only the name says whose it is.
    return bool(entry and PROVIDER.search(entry[0] if line.startswith("|") else line))
