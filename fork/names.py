"""
The name table of the twin rule: what a mention of upstream's vLLM providers is called in each twin.

Rows are regular expressions over one name or one string (never over code), tried in order; the first that matches at
a place wins. Module paths and prose come before the plain names they contain.
"""

import re
from dataclasses import dataclass

MENTION = re.compile(r"vllm", re.IGNORECASE)
# Upstream spells its provider `hosted_vllm`, `HostedVLLM`, `vllm` or `VLLM`; `vLLM` is the name of the server software.
PROVIDER = re.compile(r"VLLM|vllm|Vllm")
HOSTED = re.compile(r"hosted[_ ]?vllm", re.IGNORECASE)

Rows = tuple[tuple[str, str], ...]

_MODULES: Rows = ((r"llms\.(?:hosted_)?vllm", "llms.remodlai"),)
_DOCS: Rows = ((r"providers/vllm|pass_through/vllm", "providers/remodlai"),)
_PICTURES: Rows = ((r"vllmLogo", "vllmLogo"),)  # the twins are vLLM servers, and have no picture of their own


@dataclass(frozen=True)
class Twin:
    """
    One of the two providers that the fork adds.

    Args:
        provider: its name.
        own: what names of ours and strings say that are about this provider.
        rows: what upstream's names become.
    """

    provider: str
    own: str
    rows: Rows

    def rename(self, text: str) -> str:
        """Returns `text`, a name, a dotted path or a string literal, with upstream's names replaced by this twin's."""
        pattern = "|".join(f"(?P<r{number}>{row})" for number, (row, _) in enumerate(self.rows))
        return re.sub(pattern, lambda match: self.rows[int(str(match.lastgroup)[1:])][1], text)


REMODLAI = Twin(
    "remodlai",
    r"(?i:remodlai)|HostedLexiqNova",
    (
        *_MODULES,
        *_DOCS,
        *_PICTURES,
        (r"HostedVLLM", "HostedLexiqNova"),
        (r"VLLMConfig", "HostedLexiqNovaChatConfig"),
        (r"VLLM(?=[A-Z][a-z])", "HostedLexiqNova"),
        (r"Hosted [vV]LLM|VLLM(?= Pass-through| \()|\bvLLM\b", "Lexiq Nova"),
        (r"Hosted_Vllm|Vllm", "Remodlai"),
        (r"HOSTED_VLLM|VLLM", "REMODLAI"),
        (r"hosted_vllm|vllm", "remodlai"),
    ),
)

LEXIQ_NOVA = Twin(
    "lexiq_nova",
    r"(?i:lexiq_nova)|(?<!Hosted)LexiqNova(?!Error)",
    (
        (r"llms\.hosted_vllm\.chat", "llms.remodlai.completion"),
        *_MODULES,
        *_DOCS,
        *_PICTURES,
        (r"HostedVLLMChatConfig", "LexiqNovaConfig"),
        (r"HostedVLLM|VLLM(?=[A-Z][a-z])", "LexiqNova"),
        (r"VLLM(?= Pass-through)", "Lexiq Nova"),
        (r"Hosted [vV]LLM|\bvLLM\b|VLLM(?= \()", "Lexiq Nova (local)"),
        (r"Hosted_Vllm|Vllm", "Lexiq_Nova"),
        (r"HOSTED_VLLM|VLLM", "LEXIQ_NOVA"),
        (r"hosted_vllm|vllm", "lexiq_nova"),
    ),
)

TWINS = (REMODLAI, LEXIQ_NOVA)
