"""
What makes `litellm.token_counter` ask the server that a model's name means.
"""

import asyncio
import contextlib
import inspect
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Final, ParamSpec

import litellm
from litellm.litellm_core_utils.own_providers import own_provider_of

P = ParamSpec("P")  # rebind-ok: mypy takes no Final ParamSpec

_PROXY: Final = "litellm.proxy.proxy_server"


def asking_the_server(count: Callable[P, int]) -> Callable[P, int]:
    """
    Counts the tokens of a model on a server of the caller's own by that server's tokenizer and chat template.

    The server is asked where the caller can wait for it: not in an event loop, where `litellm.acount_tokens` does, nor
    in a proxy, which counts for its own purposes beside each call.

    Args:
        count: counts with a tokenizer of LiteLLM's: for any other model, and where the server gives no count.

    Returns:
        A function of the same parameters.
    """
    parameters: Final = inspect.signature(count)

    @wraps(count)
    def asking(*args: P.args, **kwargs: P.kwargs) -> int:  # kwargs-ok: a whole call, passed on as it is
        call: Final = parameters.bind(*args, **kwargs).arguments
        if call.get("custom_tokenizer") is None and litellm.disable_token_counter is not True:
            counted: Final = _count_of_server(call)
            if counted is not None:
                return counted
        return count(*args, **kwargs)

    return asking


def _count_of_server(call: Mapping[str, object]) -> int | None:
    """None where the model is another provider's, nobody is to be asked, or it cannot count."""
    provider: Final = own_provider_of((), {"model": call.get("model")})
    if provider is None or _serves_a_proxy() or _in_event_loop():
        return None
    # The provider's classes import LiteLLM, which is not complete when it imports this.
    from litellm.llms.remodlai.common_utils import token_counter_of

    counter: Final = token_counter_of(provider)
    name: Final = str(call["model"]).removeprefix(f"{provider}/")
    text, messages, tools = (call.get(part) for part in ("text", "messages", "tools"))
    if isinstance(text, str | list):
        return counter.count({"model": name, "prompt": "".join(text), "add_special_tokens": False})
    if not messages:
        return None
    return counter.count({"model": name, "messages": messages, **({"tools": tools} if tools else {})})


def _serves_a_proxy() -> bool:
    return getattr(sys.modules.get(_PROXY), "llm_router", None) is not None


def _in_event_loop() -> bool:
    with contextlib.suppress(RuntimeError):
        asyncio.get_running_loop()
        return True
    return False
