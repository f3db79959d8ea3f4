"""Providers that are servers of one's own: no price list has entries of theirs, LiteLLM's own client asks them."""

from typing import Final

SELF_HOSTED: Final = frozenset({"hosted_vllm", "remodlai", "lexiq_nova"})
