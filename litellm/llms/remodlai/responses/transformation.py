"""
Responses API of Lexiq Nova: `hosted_vllm`'s transformation under Lexiq Nova's identity.
"""

from litellm.types.router import GenericLiteLLMParams
from litellm.types.utils import LlmProviders

from ...hosted_vllm.responses.transformation import HostedVLLMResponsesAPIConfig
from ..common_utils import HostedLexiqNova, LexiqNova, with_key


class HostedLexiqNovaResponsesAPIConfig(HostedLexiqNova, HostedVLLMResponsesAPIConfig):
    @property
    def custom_llm_provider(self) -> LlmProviders:
        return LlmProviders(self.provider)

    def validate_environment(
        self, headers: dict[str, str], model: str, litellm_params: GenericLiteLLMParams | None
    ) -> dict[str, str]:
        params = with_key(litellm_params, self.key({"litellm_params": litellm_params}))
        return HostedVLLMResponsesAPIConfig.validate_environment(self, headers, model, params)


class LexiqNovaResponsesAPIConfig(LexiqNova, HostedLexiqNovaResponsesAPIConfig):
    pass
