"""
Pass-through to vLLM's own routes: upstream's vLLM pass-through under Lexiq Nova's identity.
"""

from collections.abc import Mapping
from typing import Any

from ...vllm.passthrough.transformation import VLLMPassthroughConfig
from ..common_utils import HostedLexiqNovaModelInfo, LexiqNova, server_root


class HostedLexiqNovaPassthroughConfig(HostedLexiqNovaModelInfo, VLLMPassthroughConfig):
    def reach(self, call: Mapping[str, Any]) -> str:
        # The caller names the whole route: `v1/chat/completions`, but also `tokenize` or `score`.
        return server_root(super().reach(call))


class LexiqNovaPassthroughConfig(LexiqNova, HostedLexiqNovaPassthroughConfig):
    pass
