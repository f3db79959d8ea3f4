"""An answer is inspected as if it could be a function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.types.utils import ModelResponse

EDIT = Edit(__name__, __doc__, patch="answer-no-function", speed=True)


@EDIT.start("litellm/utils.py", "check_coroutine")
def answered(value: object) -> bool:
    if isinstance(value, ModelResponse):
        return False
