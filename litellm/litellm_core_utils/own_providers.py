"""
Providers whose server is the caller's own, by name.
"""

from collections.abc import Mapping
from typing import Final, TypeVar, cast  # noqa: TID251  # for the one cast below

Provider = TypeVar("Provider", bound=str | None)  # rebind-ok: mypy takes no Final TypeVar

OWN_SERVER_PROVIDERS: Final = frozenset({"remodlai", "lexiq_nova"})


def own_provider_of(args: tuple[object, ...], call: Mapping[str, object]) -> str | None:
    """
    The provider of a call where it is one of these.

    Args:
        args: positional arguments of the call; the first may be its model.
        call: its keywords.
    """
    provider: Final = call.get("custom_llm_provider")
    if isinstance(provider, str) and provider in OWN_SERVER_PROVIDERS:
        return provider
    prefix: Final = str(call.get("model") or (args[0] if args else None)).split("/", 1)[0]
    return prefix if prefix in OWN_SERVER_PROVIDERS else None


def own_provider(model: str | None, provider: Provider) -> Provider:
    """Returns the provider that a model's prefix names where it is one of these, else `provider`."""
    prefix: Final = str(model).split("/", 1)[0]
    if prefix not in OWN_SERVER_PROVIDERS:
        return provider
    return cast(Provider, prefix)  # cast-ok: each function lists its providers, these two among them
