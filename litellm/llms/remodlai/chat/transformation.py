"""
Chat completions of Lexiq Nova: `hosted_vllm`'s transformation under Lexiq Nova's identity, with its own streams.
"""

from ...hosted_vllm.chat.transformation import HostedVLLMChatConfig
from ..common_utils import HostedLexiqNova
from .streaming import FastStream


class HostedLexiqNovaChatConfig(FastStream, HostedLexiqNova, HostedVLLMChatConfig):
    def get_openai_compatible_provider_info(self, api_base: str | None, api_key: str | None) -> tuple[str, str]:
        """Base and key for `get_llm_provider`; see `HostedLexiqNova.resolve`."""
        return self.resolve(api_base, api_key)
