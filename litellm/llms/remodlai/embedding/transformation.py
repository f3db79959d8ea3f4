"""
Embeddings of Lexiq Nova: `hosted_vllm`'s transformation under Lexiq Nova's identity.
"""

from typing import Any

from litellm.types.llms.openai import AllEmbeddingInputValues

from ...hosted_vllm.embedding.transformation import HostedVLLMEmbeddingConfig
from ..common_utils import HostedLexiqNova, LexiqNova


class HostedLexiqNovaEmbeddingConfig(HostedLexiqNova, HostedVLLMEmbeddingConfig):
    def transform_embedding_request(
        self, model: str, input: AllEmbeddingInputValues, optional_params: dict[str, Any], headers: dict[str, str]
    ) -> dict[str, Any]:
        # A model may really be called `hosted_vllm/...` on the server; upstream's class would cut that off.
        return {**super().transform_embedding_request(model, input, optional_params, headers), "model": model}


class LexiqNovaEmbeddingConfig(LexiqNova, HostedLexiqNovaEmbeddingConfig):
    pass
