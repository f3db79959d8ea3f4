"""
What the twin rule does not do: explicit edits of upstream, and mentions that are left alone. Each with its reason.

Edits are anchored at a symbol, not at a line, and must find it exactly once; the code they insert is ours.
"""

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from textwrap import indent
from typing import Any


class EditError(Exception):
    """An edit that does not apply to this release."""


@dataclass(frozen=True)
class Edit:
    """
    One insertion into a Python file of upstream.

    Args:
        name: what the edit is called in the audit.
        path: file, relative to the wheel's root.
        symbol: dotted name of the variable, function or method it is anchored at.
        where: "after" the symbol, or at its "start" (a function's first statement after the docstring).
        code: what is inserted, unindented.
        reason: why a mechanical twin is not enough.
    """

    name: str
    path: str
    symbol: str
    where: str
    code: str
    reason: str

    def applied(self, source: str) -> str:
        """Returns `source` with the edit; raises EditError where the symbol is not there exactly once."""
        nodes = _find(ast.parse(source), self.symbol.split("."))
        if len(nodes) != 1:
            raise EditError(f"{self.path}: edit '{self.name}' found `{self.symbol}` {len(nodes)} times, not once")
        node = nodes[0]
        if self.where == "after":
            line, column = node.end_lineno, node.col_offset
        else:
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            line, column = body[0].lineno - 1, body[0].col_offset
        lines = source.splitlines(keepends=True)
        lines.insert(line, indent(self.code.rstrip("\n") + "\n", " " * column))
        return "".join(lines)


def _find(node: Any, path: list[str]) -> list[Any]:
    found = [child for child in node.body if path[0] in _names(child)]
    return found if len(path) == 1 else [match for child in found for match in _find(child, path[1:])]


def _names(node: Any) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


_KEYS = Edit(
    name="keys",
    path="litellm/__init__.py",
    symbol="openai_like_key",
    where="after",
    code="remodlai_key: Optional[str] = None\nlexiq_nova_key: Optional[str] = None",
    reason="hosted_vllm has no key variable to twin",
)
_CREATE_RESPONSE = Edit(
    name="create-response",
    path="litellm/responses/dispatch.py",
    symbol="__all__",
    where="after",
    code='__all__ += ("acreate_response", "create_response")',
    reason="the two names under which OpenAI's REST reference lists the endpoint",
)
_CREATE_RESPONSE_ALIASES = Edit(
    name="create-response",
    path="litellm/responses/dispatch.py",
    symbol="aresponses",
    where="after",
    code="\n\ncreate_response = responses\nacreate_response = aresponses",
    reason="the two names under which OpenAI's REST reference lists the endpoint",
)
EDITS = (_KEYS, _CREATE_RESPONSE, _CREATE_RESPONSE_ALIASES)


@dataclass(frozen=True)
class Exempt:
    """
    Mentions that need no twin.

    Args:
        path: glob over files, relative to the wheel's root.
        line: regular expression that the mention's line matches; a site that begins on such a line is left alone.
        reason: why.
    """

    path: str
    line: str
    reason: str


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
    Exempt("litellm/__init__.py", r"_VLLMConfig", "a type stub; LexiqNovaConfig's comes from HostedVLLMChatConfig's"),
    Exempt("*", r"(?i)vllm_router_status", "states of vLLM's router, not of a provider"),
    Exempt("*", r"endpoint_under_api_base", "a path helper that belongs to no provider"),
)


def exempt(path: str, line: str) -> str | None:
    """Returns why mentions on this line of this file need no twin, or None."""
    for exemption in EXEMPTIONS:
        if fnmatch(path, exemption.path) and re.search(exemption.line, line):
            return f"exempt: {exemption.reason}"
    return None


def edits_of(path: str, edits: Iterable[Edit] = EDITS) -> list[Edit]:
    """Returns the edits of one file, in their order."""
    return [edit for edit in edits if edit.path == path]
