"""
Providers whose server is the caller's own, for the functions that have no config class: without a base or key of their
own, these would use OpenAI's.
"""

from typing import Any, Final

import litellm
from litellm.constants import DEFAULT_MAX_RETRIES

OWN_SERVER_PROVIDERS: Final = frozenset({"remodlai", "lexiq_nova"})


def own_server(
    provider: str | None, model: str | None, api_base: str | None, api_key: str | None
) -> tuple[str | None, str | None]:
    """
    Base and key of a call: its provider's own, or what was given where that provider is none of these.

    Args:
        provider: the call's `custom_llm_provider=`, if any.
        model: the call's `model=`, if any, whose prefix names the provider where the call does not.
        api_base: the call's `api_base=`, if any.
        api_key: the call's `api_key=`, if any.
    """
    name: Final = provider or str(model).split("/", 1)[0]
    if name not in OWN_SERVER_PROVIDERS:
        return api_base, api_key
    # The provider's classes build on modules that import this one.
    from litellm.llms.remodlai.common_utils import own_server as resolved

    return resolved(name, api_base, api_key)


def own_server_in(call: dict[str, Any], provider: str | None, model: str | None) -> str | None:
    """
    As `own_server`, for functions that take base and key among their keywords, and the provider as `model=` too.

    Args:
        call: keywords of the call; `api_base` and `api_key` are set for a provider of these.
        provider: the call's `custom_llm_provider=`, if any.
        model: the call's `model=`, if any; one that begins with a provider's name overrides `provider`.

    Returns:
        The provider's name.
    """
    prefix: Final = str(model).split("/", 1)[0]
    name: Final = prefix if prefix in OWN_SERVER_PROVIDERS else provider
    if name in OWN_SERVER_PROVIDERS:
        call["api_base"], call["api_key"] = own_server(name, model, call.get("api_base"), call.get("api_key"))
        _require_server(name, call["api_base"], "files and batches")
    return name


def _require_server(provider: str, base: str, what: str) -> None:
    from litellm.llms.remodlai.common_utils import require_server

    require_server(provider, base, what)


def is_own_http_server(provider: str, api_base: str) -> bool:
    """Whether a call goes to a server of one of these providers by HTTP, and not to the local engine."""
    return provider in OWN_SERVER_PROVIDERS and not api_base.startswith("lexiq-nova:")


def own_provider(model: str, provider: str) -> str:
    """Returns the provider that a model's prefix names where it is one of these, else `provider`."""
    prefix: Final = model.split("/", 1)[0]
    return prefix if prefix in OWN_SERVER_PROVIDERS else provider


def own_moderation_key(call: dict[str, Any], model: str | None, api_key: str | None) -> str | None:
    """
    The key of a moderation whose model names a provider of these; its base is set among the keywords.

    Args:
        call: keywords of the call.
        model: the call's `model=`, if any.
        api_key: the call's `api_key=`, if any.
    """
    provider: Final = str(model).split("/", 1)[0]
    if provider in OWN_SERVER_PROVIDERS:
        call["api_base"], api_key = own_server(provider, model, call.get("api_base"), api_key)
        _require_server(provider, call["api_base"], "moderations")
    return api_key


def own_moderation(call: dict[str, Any], model: str | None, api_key: str | None) -> tuple[str | None, str | None]:
    """
    Model and key of a moderation, as its provider's own server knows them; base and client are set among the keywords.

    Args:
        call: keywords of the call.
        model: the call's `model=`, if any.
        api_key: the call's `api_key=`, if any.
    """
    provider: Final = call.get("custom_llm_provider") or str(model).split("/", 1)[0]
    if provider not in OWN_SERVER_PROVIDERS:
        return model, api_key
    from litellm.llms.remodlai.openai_client import openai_client

    call["api_base"], key = own_server(provider, model, call.get("api_base"), api_key)
    _require_server(provider, call["api_base"], "moderations")
    timeout: Final = call.get("timeout", litellm.request_timeout)
    retries: Final = call.get("max_retries", DEFAULT_MAX_RETRIES)
    client: Final = openai_client(call["api_base"], key, timeout, retries, None, is_async=False)
    call.setdefault("client", client)
    return str(model).removeprefix(f"{provider}/"), key
