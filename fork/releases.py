"""Ranges of upstream releases, written as in PEP 440: `>=1.105, <1.110`."""

import operator
import re
from itertools import zip_longest

_COMPARISONS = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}


def holds(releases: str, version: str) -> bool:
    """
    Whether a release is in a range.

    Args:
        releases: comparisons with commas between them; an empty text is every release.
        version: a version; what follows its numbers (`rc1`, `.dev2`) does not count.

    Raises:
        ValueError: `releases` is no such text.
    """
    return all(_holds(comparison.strip(), version) for comparison in releases.split(",") if comparison.strip())


def _holds(comparison: str, version: str) -> bool:
    parts = re.fullmatch(r"([<>=!]{1,2})\s*([\d.]+)", comparison)
    if parts is None or parts[1] not in _COMPARISONS:
        raise ValueError(f"{comparison!r} is no comparison with a version")
    pairs = list(zip_longest(_numbers(version), _numbers(parts[2]), fillvalue=0))
    return bool(_COMPARISONS[parts[1]]([left for left, _ in pairs], [right for _, right in pairs]))


def _numbers(version: str) -> list[int]:
    numbers = re.match(r"\d+(\.\d+)*", version)
    return [int(number) for number in numbers[0].split(".")] if numbers else []
