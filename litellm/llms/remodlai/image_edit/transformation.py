"""
Image edits of Lexiq Nova: `hosted_vllm`'s transformation under Lexiq Nova's identity.
"""

from ...hosted_vllm.image_edit.transformation import HostedVLLMImageEditConfig
from ..common_utils import HostedLexiqNova, LexiqNova


class HostedLexiqNovaImageEditConfig(HostedLexiqNova, HostedVLLMImageEditConfig):
    pass


class LexiqNovaImageEditConfig(LexiqNova, HostedLexiqNovaImageEditConfig):
    pass
