"""Without a price every way to it is tried, three names deep, twice a call: no list knows any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.litellm_core_utils.litellm_logging import Logging
    from litellm.litellm_core_utils.unpriced_models import is_recorded_unpriced, raise_if_unpriced

EDIT = Edit(__name__, __doc__, patch="unpriced-models", speed=True)


LOGGING = "litellm/litellm_core_utils/litellm_logging.py"


@EDIT.start("litellm/cost_calculator.py", "response_cost_calculator")
def unpriced(
    response_object: object,
    model: str,
    custom_llm_provider: str | None,
    call_type: str,
    cache_hit: bool | None,
    base_model: str | None,
    custom_pricing: bool | None,
    router_model_id: str | None,
    litellm_logging_obj: Logging | None,
) -> None:
    raise_if_unpriced(
        call_type,
        response_object,
        model,
        custom_llm_provider,
        litellm_logging_obj,
        is_priced_otherwise=bool(cache_hit or custom_pricing or base_model or router_model_id),
    )


@EDIT.start(LOGGING, "Logging._record_zero_cost_diagnostic")
def recorded(self: Logging, calculation_failed: bool) -> None:
    if is_recorded_unpriced(self, calculation_failed=calculation_failed):
        return


@EDIT.after(LOGGING, "Logging.custom_pricing")
def state() -> None:
    is_unpriced: bool = False
