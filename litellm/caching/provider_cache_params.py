"""
Parameters that belong into the cache's key for some providers only: with others of them, the same input has another
answer.
"""

from collections.abc import Mapping, Set
from types import MappingProxyType
from typing import Final

_EMBEDDING_PARAMS: Final = frozenset(
    {"task", "adapter", "return_multivector", "image", "image_embeds", "instruction", "extra_body"}
)
PROVIDER_CACHE_PARAMS: Final = MappingProxyType({"remodlai": _EMBEDDING_PARAMS, "lexiq_nova": _EMBEDDING_PARAMS})


def with_provider_params(params: Set[str], call: Mapping[str, object]) -> Set[str]:
    """
    Adds the parameters of a call's provider.

    Args:
        params: names of the parameters that are in every key.
        call: keyword arguments of the call.
    """
    provider: Final = call.get("custom_llm_provider") or str(call.get("model")).split("/", 1)[0]
    own: Final = PROVIDER_CACHE_PARAMS.get(str(provider))
    return params if own is None else params | own
