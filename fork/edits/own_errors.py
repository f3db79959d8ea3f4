"""Transcriptions, speech, moderations, files and batches raise the openai package's errors as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.litellm_core_utils.own_errors import raises_own_errors, raises_own_errors_async

EDIT = Edit(__name__, __doc__, patch="remodlai")


@EDIT.decorator("litellm/utils.py", "client.wrapper")
@EDIT.decorator("litellm/main.py", "moderation")
def call() -> object:
    return raises_own_errors


@EDIT.decorator("litellm/utils.py", "client.wrapper_async")
def awaited_call() -> object:
    return raises_own_errors_async
