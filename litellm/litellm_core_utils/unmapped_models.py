"""
Models that no price list knows, as every self-hosted model is: remembered, so that a call does not search each list
again, some ten times.

A model is remembered by the names it is looked up by, and by the tables that are searched besides
`litellm.model_cost`. Upstream replaces those tables whenever a list changes (`register_model`, a reload).
"""

from typing import Final

import litellm
from litellm.constants import DEFAULT_MAX_LRU_CACHE_SIZE
from litellm.litellm_core_utils import fallback_generalizations
from litellm.types.utils import LlmProviders, LlmProvidersSet

# Their models are looked up by more than names.
_PROVIDERS_WITH_RULES: Final = ("vertex_ai", "huggingface")


def _tables() -> tuple[object, object]:
    """What is searched besides `litellm.model_cost`: the map of lower case names, and the rules."""
    return litellm.utils._model_cost_lowercase_map, fallback_generalizations._registry.capability_rules


_UNMAPPED: Final[dict[tuple[str, str | None], tuple[frozenset[str], tuple[object, object]]]] = {}


def is_known_unmapped(model: str, custom_llm_provider: str | None) -> bool:
    """
    Whether a model was searched for, was in no price list, and no list has changed since that could know it.

    Args:
        model: name of the model.
        custom_llm_provider: name of its provider.
    """
    remembered: Final = _UNMAPPED.get((model, custom_llm_provider))
    if remembered is None:
        return False
    names, (lowercase_map, rules) = remembered
    lowercase_map_now, rules_now = _tables()
    unchanged: Final = lowercase_map is lowercase_map_now and rules is rules_now
    if unchanged and litellm.model_cost.keys().isdisjoint(names):
        return True
    _UNMAPPED.pop((model, custom_llm_provider), None)
    return False


class ModelSearch:
    """
    One search for a model's info.

    Args:
        model: name of the model as the caller gave it.
        custom_llm_provider: name of its provider.
    """

    def __init__(self, model: str, custom_llm_provider: str | None) -> None:
        self._model: Final = model
        self._provider: Final = custom_llm_provider
        self.is_known_to_fail: Final = is_known_unmapped(model, custom_llm_provider)
        # Taken before the search, so that a list that changes meanwhile is not taken for searched.
        self._tables: Final = _tables()

    def failed(self) -> None:
        """Remembers that no price list knows the model."""
        names: Final = _names_searched(self._model, self._provider)
        if not names or self._tables[0] is None:
            return
        if len(_UNMAPPED) >= DEFAULT_MAX_LRU_CACHE_SIZE:
            _UNMAPPED.clear()
        _UNMAPPED[(self._model, self._provider)] = (frozenset(names), self._tables)


def _names_searched(model: str, custom_llm_provider: str | None) -> tuple[str, ...]:
    """The names a model is looked up by; none where more than these and the price lists decide."""
    if custom_llm_provider not in LlmProvidersSet or custom_llm_provider.startswith(_PROVIDERS_WITH_RULES):
        return ()
    if model in litellm.azure_llms or model in litellm.azure_embedding_models:
        return ()
    provider_info: Final = litellm.utils.ProviderConfigManager.get_provider_model_info(
        model=model, provider=LlmProviders(custom_llm_provider)
    )
    if callable(getattr(provider_info, "get_model_info", None)):
        return ()
    searched: Final = map(str, litellm.utils.get_potential_model_names(model, custom_llm_provider).values())
    # Prices are looked up without the leading parts of a name, too.
    parts: Final = model.split("/")
    tails: Final = tuple("/".join(parts[start:]) for start in range(1, len(parts)))
    names: Final = (model, *searched, *tails, *(f"{custom_llm_provider}/{tail}" for tail in tails))
    return () if any(litellm.utils.get_model_cost_key(name) is not None for name in names) else names
