"""
Where the two providers look for a server and its key, beside the arguments of a call: for words about it.

`common_utils` decides; this says what it looked at.
"""

import re
from collections.abc import Callable, Mapping
from itertools import chain
from typing import Final, TypeAlias

import litellm
from litellm.litellm_core_utils.credential_accessor import CredentialAccessor
from litellm.llms.remodlai.bases import meant, server_root
from litellm.secret_managers.main import get_secret_str

Place: TypeAlias = tuple[str, Callable[[], str | None]]

# Stands for "no server is configured: the local engine". No HTTP client speaks this scheme, so wherever upstream
# would fill a missing base with another host, a call either reaches the engine or fails without a connection.
LOCAL_ENGINE: Final = "lexiq-nova://local/v1"
ARGUMENT: Final = "the api_base of the call or deployment"


def _variable(name: str) -> Place:
    return name, lambda: get_secret_str(name)


_OWN_BASES: Final[dict[str, tuple[Place, ...]]] = {
    "remodlai": (("litellm.api_base", lambda: litellm.api_base), _variable("REMODLAI_API_BASE")),
    "lexiq_nova": (_variable("LEXIQ_NOVA_API_BASE"),),
}
# A provider without a base does what the next one does.
_OWNERS: Final[dict[str, tuple[str, ...]]] = {
    "remodlai": ("remodlai", "lexiq_nova"),
    "lexiq_nova": ("lexiq_nova",),
}


def _places_of(owner: str) -> list[tuple[str, Place]]:
    return [(owner, place) for place in _OWN_BASES[owner]]


# First to last, each with the provider whose key goes to the server that is found there.
_OWNED: Final = {provider: tuple(chain(*map(_places_of, owners))) for provider, owners in _OWNERS.items()}
BASES: Final = {provider: tuple(place for _, place in owned) for provider, owned in _OWNED.items()}
KEYS: Final[dict[str, tuple[Place, ...]]] = {
    "remodlai": (("litellm.remodlai_key", lambda: litellm.remodlai_key), _variable("REMODLAI_API_KEY")),
    "lexiq_nova": (("litellm.lexiq_nova_key", lambda: litellm.lexiq_nova_key), _variable("LEXIQ_NOVA_API_KEY")),
}


def first_set(places: tuple[Place, ...]) -> str | None:
    """Returns the name of the first place that holds something."""
    return next((name for name, value in places if value()), None)


def server_of(provider: str, given: object = None) -> tuple[str, str]:
    """
    Finds the server of a call.

    Args:
        provider: whose call it is.
        given: the call's base, if any.

    Returns:
        The provider whose key goes to the server, and the server's base as it was configured; LOCAL_ENGINE where there
        is none.
    """
    if given and given != LOCAL_ENGINE:
        return provider, str(given)
    places: Final = _OWNED[provider]
    found: Final = None if given else next(((owner, base) for owner, (_, value) in places if (base := value())), None)
    if found is not None and found[1] != LOCAL_ENGINE:
        return found
    # A base that names the engine leaves only the server of this machine, whose place is the last.
    owner, (_, value) = places[-1]
    return owner, value() or LOCAL_ENGINE


def key_of(owner: str) -> str | None:
    """Returns the key that is configured for the servers of a provider."""
    return next(filter(None, (value() for _, value in KEYS[owner])), None)


def has_server(provider: str) -> bool:
    """Whether a server is configured for the provider's calls that name none."""
    return server_of(provider)[1] != LOCAL_ENGINE


def base_of_deployment(params: Mapping[str, object]) -> object:
    """
    The base that a deployment names.

    Args:
        params: its `litellm_params`.

    Returns:
        The base, or that of its stored credential; nothing that is true where it names neither.
    """
    base: Final = params.get("api_base") or params.get("base_url")
    credential: Final = params.get("litellm_credential_name")
    if base or not credential:
        return base
    return CredentialAccessor.get_credential_values(str(credential)).get("api_base")


def place_of(provider: str, base: str) -> str:
    """
    Says where a base came from.

    Args:
        provider: whose call it is.
        base: as it is used or as it was given.

    Returns:
        The name of the place that holds it; ARGUMENT where none does: it was the call's or the deployment's.
    """
    root: Final = _root(base)
    return next((name for name, value in BASES[provider] if (own := value()) and _root(own) == root), ARGUMENT)


def _root(base: object) -> str:
    return server_root(meant(str(base)))


def owner_of(provider: str, place: str) -> str:
    """Returns the provider whose key goes to the server that was found in a place."""
    return next((owner for owner, (name, _) in _OWNED[provider] if name == place), provider)


def base_names(provider: str) -> str:
    """Returns the names by which a server can be given."""
    *names, last = ["api_base=...", *(name for name, _ in BASES[provider])]
    return f"{', '.join(names)} or {last}"


def key_names(provider: str) -> str:
    """Returns the names by which a key can be given."""
    return " or ".join(["api_key=", *(name for name, _ in KEYS[provider])])


def without_secrets(base: str) -> str:
    """Returns a base without the login before its host and without the values of its query."""
    return re.sub(r"(=)[^&#]*", r"\1…", re.sub(r"(^|//)[^/@]*@", r"\1…@", base))
