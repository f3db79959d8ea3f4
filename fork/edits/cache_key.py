"""
With these parameters the same input has other vectors; a cache that left them out would answer for another task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.caching.provider_cache_params import with_provider_params
    from litellm.litellm_core_utils.model_param_helper import ModelParamHelper

EDIT = Edit(__name__, __doc__, patch="embeddings")


def earlier_common() -> object:
    return ModelParamHelper._get_all_llm_api_params()


@EDIT.instead_of(earlier_common, "litellm/caching/caching.py", "Cache.get_cache_key", releases="<1.106")
def earlier_common_and_own(kwargs: dict[str, object]) -> object:
    return with_provider_params(ModelParamHelper._get_all_llm_api_params(), kwargs)


def common() -> object:
    return ModelParamHelper.get_all_llm_api_params()


@EDIT.instead_of(common, "litellm/caching/caching.py", "Cache.get_cache_key", releases=">=1.106")
def common_and_own(kwargs: dict[str, object]) -> object:
    return with_provider_params(ModelParamHelper.get_all_llm_api_params(), kwargs)
