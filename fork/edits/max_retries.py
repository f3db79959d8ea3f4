"""
Nobody read `max_retries`, and outside of chat `num_retries`, of calls that do not go through OpenAI's client.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.litellm_core_utils.call_retries import retried

EDIT = Edit(__name__, __doc__, patch="fix-max-retries")


@EDIT.start("litellm/utils.py", "client")
def again(original_function: Callable[..., object]) -> None:
    original_function = retried(original_function)  # rebind-ok: what the wrappers below call
