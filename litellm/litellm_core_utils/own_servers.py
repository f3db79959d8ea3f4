"""
Providers whose server is the caller's own, for the functions that have no config class: without a base or key of their
own, these would use OpenAI's.
"""

from collections.abc import Mapping, MutableMapping
from typing import Final

import httpx
from openai import AsyncOpenAI, OpenAI

import litellm
from litellm.constants import DEFAULT_MAX_RETRIES
from litellm.litellm_core_utils.own_providers import OWN_SERVER_PROVIDERS, Provider, own_provider


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


def set_own_server(call: MutableMapping[str, object], provider: Provider, model: str | None) -> Provider:
    """
    Names the call's own server among its keywords, for functions that take base, key and provider there.

    Args:
        call: keywords of the call; `api_base` and `api_key` are set for a provider of these.
        provider: the call's `custom_llm_provider=`, if any.
        model: the call's `model=`, if any; one that begins with a provider's name overrides `provider`.

    Returns:
        The provider's name.
    """
    name: Final = own_provider(model, provider)
    if name in OWN_SERVER_PROVIDERS:
        base, key = own_server(name, model, _text(call, "api_base"), _text(call, "api_key"))
        _require_server(name, base, "files and batches")
        call["api_base"], call["api_key"] = base, key
    return name


def _text(call: Mapping[str, object], name: str) -> str | None:
    value: Final = call.get(name)
    return None if value is None else str(value)


def _require_server(provider: str | None, base: str | None, what: str) -> None:
    from litellm.llms.remodlai.common_utils import require_server

    require_server(str(provider), str(base), what)


def is_own_http_server(provider: str, api_base: str) -> bool:
    """Whether a call goes to a server of one of these providers by HTTP, and not to the local engine."""
    return provider in OWN_SERVER_PROVIDERS and not api_base.startswith("lexiq-nova:")


def own_moderation_key(call: MutableMapping[str, object], model: str | None, api_key: str | None) -> str | None:
    """
    The key of a moderation whose model names a provider of these; its base is set among the keywords.

    Args:
        call: keywords of the call.
        model: the call's `model=`, if any.
        api_key: the call's `api_key=`, if any.
    """
    provider: Final = str(model).split("/", 1)[0]
    if provider not in OWN_SERVER_PROVIDERS:
        return api_key
    base, key = own_server(provider, model, _text(call, "api_base"), api_key)
    _require_server(provider, base, "moderations")
    call["api_base"] = base
    return key


def own_moderation(
    call: MutableMapping[str, object], model: str | None, api_key: str | None
) -> tuple[str | None, str | None]:
    """
    Model and key of a moderation, as its provider's own server knows them; base and client are set among the keywords.

    Args:
        call: keywords of the call.
        model: the call's `model=`, if any.
        api_key: the call's `api_key=`, if any.
    """
    provider: Final = _text(call, "custom_llm_provider") or str(model).split("/", 1)[0]
    if provider not in OWN_SERVER_PROVIDERS:
        return model, api_key
    base, key = own_server(provider, model, _text(call, "api_base"), api_key)
    _require_server(provider, base, "moderations")
    timeout: Final = call.get("timeout", litellm.request_timeout)
    retries: Final = call.get("max_retries", DEFAULT_MAX_RETRIES)
    client: Final = own_http_client(
        provider,
        base,
        key,
        timeout if isinstance(timeout, float | int | httpx.Timeout) else None,
        retries if isinstance(retries, int) else None,
        None,
        is_async=False,
    )
    call.setdefault("client", client)
    call["api_base"] = base
    return str(model).removeprefix(f"{provider}/"), key


def own_http_client(
    provider: str,
    api_base: str | None,
    api_key: str | None,
    timeout: float | httpx.Timeout | None,
    max_retries: int | None,
    organization: str | None,
    *,
    is_async: bool,
) -> OpenAI | AsyncOpenAI | None:
    """
    The openai package's client of a call that goes to one of these providers' servers by HTTP; None for any other call.

    Args:
        provider: the call's. The others are those of `openai_client`.
    """
    if api_base is None or not is_own_http_server(provider, api_base):
        return None
    from litellm.llms.remodlai.openai_client import openai_client

    return openai_client(api_base, api_key, timeout, max_retries, organization, is_async=is_async)
