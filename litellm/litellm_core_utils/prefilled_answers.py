"""
A prefilled answer: Anthropic's API continues a last message of the assistant, a chat completion begins another turn.
"""

from collections.abc import Mapping
from typing import Final, TypeVar, cast  # noqa: TID251  # for the one cast below

from litellm.litellm_core_utils.self_hosted import SELF_HOSTED

_Call = TypeVar("_Call", bound=Mapping[str, object])  # rebind-ok: mypy takes no Final TypeVar


def continued(call: _Call) -> _Call:
    """
    A chat completion made of an Anthropic request, told to continue the answer where vLLM is asked.

    Args:
        call: keywords of the chat completion.

    Returns:
        `call`, with vLLM's two parameters where its last message is an answer that has begun.
    """
    prefix: Final = str(call.get("model")).split("/", 1)[0]
    messages: Final = call.get("messages")
    last: Final = messages[-1] if isinstance(messages, list) and messages else None
    if not isinstance(last, Mapping) or last.get("role") != "assistant":
        return call
    if not last.get("content") or last.get("tool_calls") or not {call.get("custom_llm_provider"), prefix} & SELF_HOSTED:
        return call
    told: Final = {"continue_final_message": True, "add_generation_prompt": False, **call}
    return cast(_Call, told)  # cast-ok: upstream's TypedDict allows more keys than it names
