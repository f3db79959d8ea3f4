"""
What a stream's chunks report of its usage.
"""

from __future__ import annotations

from typing import TypeVar

_Usage = TypeVar("_Usage")  # rebind-ok: mypy takes no Final TypeVar


def reported(total: _Usage) -> _Usage | None:
    """
    The sum that a stream's wrapper notes beside its last chunk.

    Args:
        total: the sum; of no tokens where no chunk reports any.

    Returns:
        The sum, or None where there is nothing in it, so that the tokens are counted.
    """
    return total if getattr(total, "total_tokens", None) else None
