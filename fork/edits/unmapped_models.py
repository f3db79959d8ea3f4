"""A self-hosted model is in no price list; every call looks for it some ten times, each in every list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.exceptions import ModelNotMappedError
    from litellm.litellm_core_utils.unmapped_models import ModelSearch
    from litellm.utils import _model_not_mapped_message

EDIT = Edit(__name__, __doc__, patch="unmapped-models", speed=True)


@EDIT.start("litellm/utils.py", "get_model_info_helper")
def known(model: str, custom_llm_provider: str | None) -> None:
    search: Final = ModelSearch(model, custom_llm_provider)
    if search.is_known_to_fail:
        raise ModelNotMappedError(_model_not_mapped_message(model, custom_llm_provider))


def raised(model: str, custom_llm_provider: str | None) -> None:
    raise ModelNotMappedError(_model_not_mapped_message(model, custom_llm_provider))


@EDIT.instead_of(raised, "litellm/utils.py", "get_model_info_helper")
def remembered(search: ModelSearch, model: str, custom_llm_provider: str | None) -> None:
    search.failed()
    raise ModelNotMappedError(_model_not_mapped_message(model, custom_llm_provider))
