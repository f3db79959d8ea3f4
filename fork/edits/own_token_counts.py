"""
`litellm.token_counter` counts with a guessed tokenizer.

The server of a model counts as it counts for itself. Only the public function asks it: LiteLLM counts for itself with
the one in `utils`, after each stream without usage and for each price.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import litellm
from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.litellm_core_utils.own_token_counts import asking_the_server

EDIT = Edit(__name__, __doc__, patch="remodlai")


# The package takes all names of this module.
@EDIT.after("litellm/main.py", "openai_chat_completions")
def public() -> None:
    token_counter = asking_the_server(litellm.utils.token_counter)  # noqa: F811  # rebind-ok: LiteLLM's own count asks nobody


def guessed() -> object:
    return litellm.token_counter


# The call's own server has been asked by then.
@EDIT.instead_of(guessed, "litellm/main.py", "acount_tokens")
def local() -> object:
    return litellm.utils.token_counter
