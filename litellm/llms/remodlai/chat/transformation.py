"""
Chat completions of Lexiq Nova: `hosted_vllm`'s transformation under Lexiq Nova's identity, with its own streams.
"""

from typing import Any

from litellm.types.utils import ModelResponse

from ...hosted_vllm.chat.transformation import HostedVLLMChatConfig
from ..common_utils import HostedLexiqNova
from .streaming import FastStream


class HostedLexiqNovaChatConfig(FastStream, HostedLexiqNova, HostedVLLMChatConfig):
    def get_openai_compatible_provider_info(self, api_base: str | None, api_key: str | None) -> tuple[str, str]:
        """Base and key for `get_llm_provider`; see `HostedLexiqNova.resolve`."""
        return self.resolve(api_base, api_key)

    def transform_response(self, *args: Any, **call: Any) -> ModelResponse:
        """Upstream's answer; JSON without a charset is UTF-8 (RFC 8259), so httpx need not look for one."""
        response = call.get("raw_response")
        if response is not None and response.headers.get("content-type") == "application/json":
            response.encoding = "utf-8"
        return super().transform_response(*args, **call)
