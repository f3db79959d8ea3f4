"""
Transcriptions of Lexiq Nova: `hosted_vllm`'s transformation under Lexiq Nova's identity.
"""

from collections.abc import Mapping
from typing import Any

from ...hosted_vllm.transcriptions.transformation import HostedVLLMAudioTranscriptionConfig
from ..common_utils import HostedLexiqNova, LexiqNova, server_root


class HostedLexiqNovaAudioTranscriptionConfig(HostedLexiqNova, HostedVLLMAudioTranscriptionConfig):
    def reach(self, call: Mapping[str, Any]) -> tuple[str, str]:
        # Upstream's URL adds `/v1/audio/transcriptions` to whatever the base is.
        base, key = super().reach(call)
        return server_root(base), key


class LexiqNovaAudioTranscriptionConfig(LexiqNova, HostedLexiqNovaAudioTranscriptionConfig):
    pass
