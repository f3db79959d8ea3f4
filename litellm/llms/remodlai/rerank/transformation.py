"""
Rerank of Lexiq Nova: `hosted_vllm`'s transformation under Lexiq Nova's identity.
"""

from typing import Any

from litellm.exceptions import UnsupportedParamsError

from ...hosted_vllm.rerank.transformation import HostedVLLMRerankConfig
from ..common_utils import HostedLexiqNova, LexiqNova


class HostedLexiqNovaRerankConfig(HostedLexiqNova, HostedVLLMRerankConfig):
    def map_cohere_rerank_params(self, *args: Any, **call: Any) -> dict[str, Any]:
        """Upstream's parameters; what it refuses is refused in this provider's name."""
        try:
            return super().map_cohere_rerank_params(*args, **call)
        except UnsupportedParamsError as error:
            error.message = error.message.replace("hosted_vllm", self.provider)
            raise


class LexiqNovaRerankConfig(LexiqNova, HostedLexiqNovaRerankConfig):
    pass
