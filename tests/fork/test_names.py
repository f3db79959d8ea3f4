"""The name table: what each upstream name is called in the twins."""

import pytest

from fork.names import HOSTED, LEXIQ_NOVA, MENTION, PROVIDER, REMODLAI

NAMES = [
    # upstream, remodlai, lexiq_nova
    ("hosted_vllm", "remodlai", "lexiq_nova"),
    ("vllm", "remodlai", "lexiq_nova"),
    ("HOSTED_VLLM_API_BASE", "REMODLAI_API_BASE", "LEXIQ_NOVA_API_BASE"),
    ("VLLM", "REMODLAI", "LEXIQ_NOVA"),
    ("_complete_hosted_vllm", "_complete_remodlai", "_complete_lexiq_nova"),
    ("vllm_proxy_route_vllm__endpoint__get", "remodlai_proxy_route_remodlai__endpoint__get", None),
    ("HostedVLLMChatConfig", "HostedLexiqNovaChatConfig", "LexiqNovaConfig"),
    ("VLLMConfig", "HostedLexiqNovaChatConfig", "LexiqNovaConfig"),
    ("HostedVLLMRerankConfig", "HostedLexiqNovaRerankConfig", "LexiqNovaRerankConfig"),
    ("VLLMModelInfo", "HostedLexiqNovaModelInfo", "LexiqNovaModelInfo"),
    (".llms.hosted_vllm.rerank.transformation", ".llms.remodlai.rerank.transformation", None),
    (
        "litellm.llms.hosted_vllm.chat.transformation",
        "litellm.llms.remodlai.chat.transformation",
        "litellm.llms.remodlai.completion.transformation",
    ),
    ("litellm.llms.vllm.common_utils", "litellm.llms.remodlai.common_utils", "litellm.llms.remodlai.common_utils"),
    ("/vllm/{endpoint:path}", "/remodlai/{endpoint:path}", "/lexiq_nova/{endpoint:path}"),
    ("Hosted_Vllm", "Remodlai", "Lexiq_Nova"),
    ("Vllm Proxy Route", "Remodlai Proxy Route", "Lexiq_Nova Proxy Route"),
    ("Hosted vLLM", "Lexiq Nova", "Lexiq Nova (local)"),
    ("Hosted VLLM (`hosted_vllm`)", "Lexiq Nova (`remodlai`)", "Lexiq Nova (local) (`lexiq_nova`)"),
    ("vLLM API Key", "Lexiq Nova API Key", "Lexiq Nova (local) API Key"),
    ("VLLM Pass-through", "Lexiq Nova Pass-through", "Lexiq Nova Pass-through"),
    ("https://docs.litellm.ai/docs/providers/vllm", "https://docs.litellm.ai/docs/providers/remodlai", None),
    ("https://docs.litellm.ai/docs/pass_through/vllm", "https://docs.litellm.ai/docs/providers/remodlai", None),
]


@pytest.mark.parametrize(("upstream", "hosted", "local"), NAMES)
def test_each_name_has_its_twins(upstream: str, hosted: str, local: str | None) -> None:
    assert REMODLAI.rename(upstream) == hosted
    assert LEXIQ_NOVA.rename(upstream) == (local or hosted.replace("remodlai_", "lexiq_nova_"))


@pytest.mark.parametrize("text", ["openai", "Hosted LLM", "hosted", "llm", "LLMProvider"])
def test_other_names_stay(text: str) -> None:
    assert REMODLAI.rename(text) == LEXIQ_NOVA.rename(text) == text


def test_no_twin_is_itself_a_mention() -> None:
    """Wiring a wired file again finds only what upstream wrote."""
    for upstream, *_ in NAMES:
        assert not MENTION.search(REMODLAI.rename(upstream) + LEXIQ_NOVA.rename(upstream))


@pytest.mark.parametrize(
    ("text", "mention", "provider", "hosted"),
    [
        ("hosted_vllm", True, True, True),
        ("HostedVLLMChatConfig", True, True, True),
        ("Hosted vLLM", True, False, True),
        ("vllm", True, True, False),
        ("Vllm Proxy Route", True, True, False),
        ("vLLM keeps generating", True, False, False),
        ("hosted llm", False, False, False),
    ],
)
def test_what_counts_as_a_mention(text: str, mention: bool, provider: bool, hosted: bool) -> None:
    assert [bool(pattern.search(text)) for pattern in (MENTION, PROVIDER, HOSTED)] == [mention, provider, hosted]
