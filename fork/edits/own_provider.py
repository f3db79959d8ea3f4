"""The default provider would send another provider's model to OpenAI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.litellm_core_utils.own_providers import own_provider

EDIT = Edit(__name__, __doc__, patch="remodlai")


@EDIT.start("litellm/fine_tuning/main.py", "create_fine_tuning_job")
def named(model: str, custom_llm_provider: str) -> None:
    custom_llm_provider = own_provider(model, custom_llm_provider)  # rebind-ok: read below
