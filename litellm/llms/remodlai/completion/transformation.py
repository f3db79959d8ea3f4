"""
Chat and text completions of a vLLM on this machine: the hosted transformation under the local identity.
"""

from ..chat.transformation import HostedLexiqNovaChatConfig
from ..common_utils import LexiqNova


class LexiqNovaConfig(LexiqNova, HostedLexiqNovaChatConfig):
    pass
