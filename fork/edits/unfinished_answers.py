"""
An answer that was cut short (vLLM's `abort`, `error` and `repetition`) was reported as complete, with `stop`.

OpenAI's word for an answer that is not whole is `length`; what the server said stays in `native_finish_reason`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.litellm_core_utils.core_helpers import _FINISH_REASON_MAP

EDIT = Edit(__name__, __doc__, patch="fix-unfinished-answers")


def theirs(finish_reason: str) -> None:
    mapped: Final = _FINISH_REASON_MAP.get(finish_reason)


@EDIT.instead_of(theirs, "litellm/litellm_core_utils/core_helpers.py", "map_finish_reason")
def not_stop(finish_reason: str) -> None:
    mapped: Final = (
        "length" if finish_reason in ("abort", "error", "repetition") else _FINISH_REASON_MAP.get(finish_reason)
    )
