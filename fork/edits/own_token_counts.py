"""
Tokens are counted by a guessed tokenizer.

The server of a model counts as it counts for itself. Asked where the caller can wait for it: not in an event loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import litellm
from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.litellm_core_utils.own_token_counts import count_of_own_server

EDIT = Edit(__name__, __doc__, patch="remodlai")


def disabled() -> int:
    if litellm.disable_token_counter is True:
        return 0


@EDIT.behind(disabled, "litellm/utils.py", "token_counter")
def asked(
    model: str,
    custom_tokenizer: object,
    text: str | list[str] | None,
    messages: Sequence[dict[str, object]] | None,
    tools: Sequence[dict[str, object]] | None,
) -> int:
    if custom_tokenizer is None and (counted := count_of_own_server(model, text, messages, tools)) is not None:
        return counted
