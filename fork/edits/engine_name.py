"""The hooks of some endpoints know neither a call's model nor the options of its local engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.llms.remodlai.engine.call import naming_engine

EDIT = Edit(__name__, __doc__, patch="local-engine")
MESSAGES = "litellm/llms/anthropic/pass_through/messages/handler.py"
MESSAGES_1_109 = "litellm/llms/anthropic/messages/native/handler.py"


@EDIT.start("litellm/utils.py", "client")
def named(original_function: Callable[..., object]) -> None:
    original_function = naming_engine(original_function)  # rebind-ok: what the wrappers below call


# `client` decorates neither of these.
@EDIT.decorator("litellm/main.py", "moderation")
@EDIT.decorator(MESSAGES, "anthropic_messages_handler", releases="<1.109")
@EDIT.decorator(MESSAGES_1_109, "anthropic_messages_handler", releases=">=1.109")
def named_call() -> object:
    return naming_engine
