"""
Videos of Lexiq Nova: `hosted_vllm`'s transformation under Lexiq Nova's identity.
"""

from typing import Final

from litellm.types.router import GenericLiteLLMParams

from ...hosted_vllm.videos.transformation import HostedVLLMVideoConfig
from ..common_utils import HostedLexiqNova, LexiqNova, with_key


class HostedLexiqNovaVideoConfig(HostedLexiqNova, HostedVLLMVideoConfig):
    def validate_environment(
        self,
        headers: dict[str, str],
        model: str,
        api_key: str | None = None,
        litellm_params: GenericLiteLLMParams | None = None,
    ) -> dict[str, str]:
        params: Final = with_key(litellm_params, self.key({"api_key": api_key, "litellm_params": litellm_params}))
        brought: Final = self.with_headers_of_call(headers)
        return self.authorized(
            HostedVLLMVideoConfig.validate_environment(self, {**brought}, model, None, params), brought
        )


class LexiqNovaVideoConfig(LexiqNova, HostedLexiqNovaVideoConfig):
    pass
