"""
Rerank of Lexiq Nova: `hosted_vllm`'s transformation under Lexiq Nova's identity.
"""

from ...hosted_vllm.rerank.transformation import HostedVLLMRerankConfig
from ..common_utils import HostedLexiqNova, LexiqNova


class HostedLexiqNovaRerankConfig(HostedLexiqNova, HostedVLLMRerankConfig):
    pass


class LexiqNovaRerankConfig(LexiqNova, HostedLexiqNovaRerankConfig):
    pass
