"""A key that a server repeats in its error, or an engine option that is secret, is shown nowhere."""

from __future__ import annotations

from typing import Any

from fork.edit import Edit

EDIT = Edit(__name__, __doc__, patch="remodlai")


@EDIT.start("litellm/litellm_core_utils/exception_mapping_utils.py", "exception_type")
def mapped(custom_llm_provider: str, original_exception: Exception) -> None:
    # A streamed text completion goes by the name of the client that reads it.
    if custom_llm_provider in ("remodlai", "lexiq_nova", "text-completion-openai"):
        from litellm.llms.remodlai.keys import hide

        hide(original_exception)


@EDIT.start("litellm/proxy/common_utils/openai_endpoint_utils.py", "remove_sensitive_info_from_deployment")
def deployment(deployment_dict: dict[str, Any]) -> None:
    from litellm.llms.remodlai.keys import without_secrets

    deployment_dict["litellm_params"] = without_secrets(deployment_dict["litellm_params"])
