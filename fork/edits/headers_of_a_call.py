"""Some endpoints read neither `headers` nor `extra_headers`, or only one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.litellm_core_utils.call_headers import notes_headers, notes_headers_async

EDIT = Edit(__name__, __doc__, patch="remodlai")


@EDIT.decorator("litellm/utils.py", "client.wrapper")
@EDIT.decorator("litellm/main.py", "moderation")
def call() -> object:
    return notes_headers


@EDIT.decorator("litellm/utils.py", "client.wrapper_async")
def awaited_call() -> object:
    return notes_headers_async
