"""
Responses API of Lexiq Nova: `hosted_vllm`'s transformation under Lexiq Nova's identity, and a shorter form of messages.
"""

from typing import Any

import litellm
from litellm.types.llms.openai import ResponseInputParam
from litellm.types.router import GenericLiteLLMParams
from litellm.types.utils import LlmProviders

from ...hosted_vllm.responses.transformation import HostedVLLMResponsesAPIConfig
from ..common_utils import HostedLexiqNova, LexiqNova, with_key

_ROLES = frozenset({"user", "assistant", "system", "developer"})


def _as_messages(items: str | ResponseInputParam) -> Any:
    """Input items whose `type` is a role, `{"type": "user", "content": ...}`, as messages of that role."""
    if not isinstance(items, list):
        return items
    return [
        {**item, "type": "message", "role": item["type"]}
        if isinstance(item, dict) and item.get("type") in _ROLES
        else item
        for item in items
    ]


class HostedLexiqNovaResponsesAPIConfig(HostedLexiqNova, HostedVLLMResponsesAPIConfig):
    @property
    def custom_llm_provider(self) -> LlmProviders:
        return LlmProviders(self.provider)

    def validate_environment(
        self, headers: dict[str, str], model: str, litellm_params: GenericLiteLLMParams | None
    ) -> dict[str, str]:
        params = with_key(litellm_params, self.key({"litellm_params": litellm_params}))
        return HostedVLLMResponsesAPIConfig.validate_environment(self, headers, model, params)

    def should_fake_stream(
        self, model: str | None, stream: bool | None, custom_llm_provider: str | None = None
    ) -> bool:
        """
        Says whether a stream is made of a whole answer, as upstream does for each model that is in no price list.

        Args:
            model: name as the server knows it.
            stream: what the call asked for.
            custom_llm_provider: as upstream calls this hook; not used.

        Returns:
            True only where `litellm.register_model` said of the model that `supports_native_streaming` is False.
        """
        known = litellm.model_cost.get(f"{self.provider}/{model}") or {}
        return stream is True and known.get("supports_native_streaming") is False

    def transform_responses_api_request(
        self,
        model: str,
        input: str | ResponseInputParam,
        response_api_optional_request_params: dict[str, Any],
        litellm_params: GenericLiteLLMParams,
        headers: dict[str, str],
    ) -> dict[str, Any]:
        """Upstream's request; an input item whose `type` is a role is sent as a message of that role."""
        return super().transform_responses_api_request(
            model=model,
            input=_as_messages(input),
            response_api_optional_request_params=response_api_optional_request_params,
            litellm_params=litellm_params,
            headers=headers,
        )


class LexiqNovaResponsesAPIConfig(LexiqNova, HostedLexiqNovaResponsesAPIConfig):
    pass
