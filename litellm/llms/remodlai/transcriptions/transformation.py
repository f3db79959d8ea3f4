"""
Transcriptions of Lexiq Nova: `hosted_vllm`'s transformation under Lexiq Nova's identity.
"""

from collections.abc import Mapping

from ...hosted_vllm.transcriptions.transformation import HostedVLLMAudioTranscriptionConfig
from ..bases import server_root
from ..common_utils import HostedLexiqNova, LexiqNova


class HostedLexiqNovaAudioTranscriptionConfig(HostedLexiqNova, HostedVLLMAudioTranscriptionConfig):
    def reach(self, call: Mapping[str, object]) -> str:
        # Upstream's URL adds `/v1/audio/transcriptions` to whatever the base is.
        return server_root(super().reach(call))


class LexiqNovaAudioTranscriptionConfig(LexiqNova, HostedLexiqNovaAudioTranscriptionConfig):
    pass
