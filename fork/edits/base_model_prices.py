"""
A deployment's `base_model` was looked up among the prices of the server's own provider, which has none, so it cost 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.litellm_core_utils.base_model_prices import provider_of_price

EDIT = Edit(__name__, __doc__, patch="fix-base-model-prices")
_FILE = "litellm/cost_calculator.py"


@EDIT.start(_FILE, "completion_cost")
def asked(base_model: str | None, custom_llm_provider: str | None) -> None:
    custom_llm_provider = provider_of_price(base_model, custom_llm_provider)  # rebind-ok: read below


def answered(hidden_params: dict[str, str], custom_llm_provider: str | None) -> object:
    return hidden_params.get("custom_llm_provider", custom_llm_provider or None)


@EDIT.instead_of(answered, _FILE, "completion_cost")
def priced(hidden_params: dict[str, str], custom_llm_provider: str | None, base_model: str | None) -> object:
    return provider_of_price(
        base_model,
        hidden_params.get("custom_llm_provider", custom_llm_provider or None),
    )
