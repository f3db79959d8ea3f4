"""The base that a call was given, read without validating all of its parameters."""

from collections.abc import Mapping
from typing import Final

from litellm.types.router import LiteLLM_Params

# Those of LiteLLM_Params that may be refused, but for three that are any text.
_VALIDATED_PARAMS: Final = frozenset(LiteLLM_Params.model_fields) - {"api_base", "api_key", "model"}


def given_api_base(model: str, params: object) -> str | None:
    """
    The `api_base` of a call's parameters; None where they must be validated first, or give none.

    Args:
        model: the model asked for.
        params: the parameters.
    """
    if not isinstance(params, Mapping):
        return None
    api_base: Final = params.get("api_base")
    is_plain: Final = (
        isinstance(api_base, str)
        and isinstance(params.get("api_key", ""), str)
        and isinstance(params.get("model", model), str)
        and _VALIDATED_PARAMS.isdisjoint(params)
    )
    return api_base if is_plain else None
