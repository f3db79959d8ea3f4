"""
Models without a price: where no price list knows a name that a response could be priced by, every way to a price is
known to fail, and none is tried.
"""

from typing import TYPE_CHECKING, Final

from typing_extensions import TypeIs

import litellm
from litellm.litellm_core_utils.self_hosted import SELF_HOSTED
from litellm.litellm_core_utils.unmapped_models import is_known_unmapped
from litellm.types.llms.openai import ResponsesAPIResponse
from litellm.types.utils import EmbeddingResponse, ModelResponse

if TYPE_CHECKING:
    from litellm.litellm_core_utils.litellm_logging import Logging
    from litellm.responses.streaming_iterator import BaseResponsesAPIStreamingIterator

_KINDS: Final = ("completion", "text_completion", "embedding", "responses")
CALL_TYPES_PRICED_BY_TOKEN: Final = frozenset((*_KINDS, *(f"a{kind}" for kind in _KINDS)))
_ANSWERS: Final = (ModelResponse, EmbeddingResponse, ResponsesAPIResponse)


def raise_if_unpriced(
    call_type: str,
    response: object,
    model: str,
    custom_llm_provider: str | None,
    logging_obj: "Logging | None",
    *,
    is_priced_otherwise: bool,
) -> None:
    """
    Ends the calculation of a price as it would end after every way to a price was tried.

    Args:
        call_type: name of the call, such as "acompletion".
        response: what the provider answered.
        model: the model asked for.
        custom_llm_provider: name of its provider.
        logging_obj: the call's logging object, which is told the reason.
        is_priced_otherwise: whether a price may come from elsewhere: a cache hit, the call's own price, another model.

    Raises:
        ModelNotMappedError: no price list knows the model.
    """
    if is_priced_otherwise or call_type not in CALL_TYPES_PRICED_BY_TOKEN:
        return
    if _is_known_unpriced(response, model, custom_llm_provider):
        if logging_obj is not None:
            logging_obj.is_unpriced = True
        litellm.utils.cached_get_model_info_helper(model=model, custom_llm_provider=custom_llm_provider)


def is_recorded_unpriced(logging_obj: "Logging", *, calculation_failed: bool) -> bool:
    """
    Whether a calculation failed because its model is known to have no price. Then no price can be at fault, and the
    call's diagnostic says nothing.

    Args:
        logging_obj: the call's logging object.
        calculation_failed: whether the calculation raised.
    """
    is_unpriced: Final = logging_obj.is_unpriced
    logging_obj.is_unpriced = False
    if not (is_unpriced and calculation_failed):
        return False
    logging_obj.model_call_details["zero_cost_diagnostic"] = None
    return True


def _is_stream(response: object) -> "TypeIs[litellm.CustomStreamWrapper | BaseResponsesAPIStreamingIterator]":
    from litellm.responses.streaming_iterator import BaseResponsesAPIStreamingIterator

    return isinstance(response, (litellm.CustomStreamWrapper, BaseResponsesAPIStreamingIterator))


def _is_known_unpriced(response: object, model: str | None, custom_llm_provider: str | None) -> bool:
    """Whether a response states no price of its own and no price list knows a name that it could be priced by."""
    if custom_llm_provider not in SELF_HOSTED:
        return False
    if not isinstance(response, _ANSWERS) and not _is_stream(response):
        return False
    hidden_params: Final = response._hidden_params
    if not isinstance(hidden_params, dict):
        return False
    own_names: Final = (response.model,) if isinstance(response, _ANSWERS) else ()
    # What the server calls the model; the response may have the name that was asked for. It is looked up with a prefix.
    server_name: Final = hidden_params.get("provider_response_model")
    server_names: Final = () if server_name in (None, *own_names) else (f"{custom_llm_provider}/{server_name}",)
    names: Final = (model, *own_names, *server_names)
    return (
        hidden_params.get("custom_llm_provider") in (None, custom_llm_provider)
        and litellm.cost_calculator.get_response_cost_from_hidden_params(hidden_params) is None
        and all(isinstance(name, str) and is_known_unmapped(name, custom_llm_provider) for name in names)
    )
