"""Upstream's mentions of vLLM that need no twin, each with its reason."""

import re
from dataclasses import dataclass
from fnmatch import fnmatch


@dataclass(frozen=True)
class Exempt:
    """
    Mentions that need no twin.

    Args:
        path: glob over files, relative to the wheel's root.
        line: regular expression that the mention's line matches; a site that begins on such a line is left alone.
        reason: why.
        since: the first release that has such a mention, where no locked one does.
    """

    path: str
    line: str
    reason: str
    since: str = ""


_IN_PROCESS = "upstream's in-process vllm.LLM path: our local provider talks to a server"
EXEMPTIONS = (
    Exempt("litellm/proxy/_experimental/out/*", "", "the compiled Admin UI"),
    Exempt("*.md", "", "documentation"),
    Exempt("litellm/llms/huggingface/huggingface_llms_metadata/*.txt", "", "names of models"),
    Exempt("litellm/llms/fireworks_ai/*", r"NIM_VLLM", "Fireworks' list of NVIDIA NIM parameters"),
    Exempt("litellm/llms/watsonx/*", r"HOSTED_VLLM_API", "watsonx's own fallback"),
    Exempt("litellm/types/rerank.py", r"class HostedVLLM", "a type that the inherited rerank class uses"),
    Exempt(
        "litellm/proxy/batches_endpoints/litellm_executed_batches.py",
        r"get_async_httpx_client",
        "the label of a connection pool that all providers share here",
    ),
    Exempt("litellm/main.py", r"vllm_handler", _IN_PROCESS),
    Exempt("litellm/batch_completion/main.py", r"vllm_handler|custom_llm_provider == .vllm.", _IN_PROCESS),
    Exempt("litellm/litellm_core_utils/streaming_handler.py", r"custom_llm_provider == .vllm.", _IN_PROCESS),
    Exempt(
        "litellm/litellm_core_utils/exception_mapping_utils.py",
        r"_map_vllm_exception|custom_llm_provider == .vllm.",
        _IN_PROCESS,
    ),
    Exempt(
        "litellm/proxy/pass_through_endpoints/llm_passthrough_endpoints.py",
        r"def vllm_proxy_route\(",
        "edit passthrough-route: our routes have a router of their own",
    ),
    Exempt("litellm/__init__.py", r"_VLLMConfig", "a type stub; LexiqNovaConfig's comes from HostedVLLMChatConfig's"),
    Exempt("litellm/blog_posts.json", "", "documentation"),
    Exempt("*", r"(?i)vllm_choice_(fields|values)", "fields of vLLM's choices, kept for every provider", since="1.110"),
    Exempt("*", r"(?i)vllm_router_status", "states of vLLM's router, not of a provider"),
)


def exempt(path: str, line: str) -> str | None:
    """Returns why mentions on this line of this file need no twin, or None."""
    for exemption in EXEMPTIONS:
        if fnmatch(path, exemption.path) and re.search(exemption.line, line):
            return f"exempt: {exemption.reason}"
    return None
