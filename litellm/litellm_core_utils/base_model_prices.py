"""
Whose prices a deployment of one's own server has, where its `base_model` names a model of a price list.
"""

import litellm
from litellm.litellm_core_utils.get_llm_provider_logic import get_llm_provider
from litellm.litellm_core_utils.self_hosted import SELF_HOSTED


def provider_of_price(base_model: str | None, provider: str | None) -> str | None:
    """
    The provider under which a call's price is looked up.

    Args:
        base_model: the deployment's `base_model`, if any.
        provider: the call's provider.

    Returns:
        For a server of one's own, the provider of the listed `base_model`; else the call's.
    """
    if base_model is None or provider not in SELF_HOSTED or base_model not in litellm.model_cost:
        return provider
    return get_llm_provider(base_model)[1]
