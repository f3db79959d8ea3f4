"""
Decisions API of Lexiq Nova: `hosted_vllm`'s transformation under Lexiq Nova's identity.
"""

from collections.abc import Mapping
from typing import Final

from litellm.constants import PLACEHOLDER_API_KEY

from ...hosted_vllm.decisions.transformation import HostedVLLMDecisionsConfig
from ..common_utils import HostedLexiqNova, LexiqNova


class HostedLexiqNovaDecisionsConfig(HostedLexiqNova, HostedVLLMDecisionsConfig):
    api_key_env = ("REMODLAI_API_KEY",)
    api_base_env = ("REMODLAI_API_BASE",)

    def key(self, call: Mapping[str, object]) -> str | None:
        key: Final = super().key(call)
        return None if key == PLACEHOLDER_API_KEY else key

    def resolve_api_base(self, api_base: str | None) -> str | None:
        return self.resolve(api_base)[0]

    def resolve_api_key(self, api_key: str | None) -> str | None:
        return super().resolve_api_key(self.resolve(None, api_key)[1])


class LexiqNovaDecisionsConfig(LexiqNova, HostedLexiqNovaDecisionsConfig):
    api_key_env = ("LEXIQ_NOVA_API_KEY",)
    api_base_env = ("LEXIQ_NOVA_API_BASE",)
