"""
How much a model is to reason: every form that LiteLLM takes, as the one word that vLLM's chat templates take.

vLLM turns a template's thinking off for the word `none` and on for every other one. gpt-oss always reasons; its
templates know three words and vLLM refuses the others
(https://docs.vllm.ai/en/latest/features/reasoning_outputs.html).
"""

from collections.abc import Mapping
from typing import Final

# An adaptive model chooses by itself; LiteLLM's `/v1/messages` sends this word for it, too.
ADAPTIVE: Final = "medium"
THINKING_WORDS: Final[Mapping[object, str]] = {"disabled": "none", "adaptive": ADAPTIVE}
GPT_OSS: Final = "gpt-oss"
GPT_OSS_WORDS: Final[Mapping[object, str]] = {"none": "low", "minimal": "low", "xhigh": "high", "max": "high"}


def word_of_thinking(thinking: object) -> str | None:
    """
    The effort that Anthropic's `thinking` asks for without naming a budget.

    Args:
        thinking: `{"type": "disabled"}`, `{"type": "adaptive"}`, or anything else.

    Returns:
        None where `thinking` is of neither type.
    """
    return THINKING_WORDS.get(thinking.get("type")) if isinstance(thinking, Mapping) else None


def effort_word(effort: object, model: str) -> object:
    """
    The effort as a word that the model's template knows.

    Args:
        effort: a word, or the Responses API's object `{"effort": ..., "summary": ...}`.
        model: name as the server knows it.

    Returns:
        The word; None where an object names none. What vLLM does not know either stays, for the server to refuse.
    """
    word: Final = effort.get("effort") if isinstance(effort, Mapping) else effort
    if GPT_OSS in model.lower() and isinstance(word, str):
        return GPT_OSS_WORDS.get(word, word)
    return word
