"""
What to set in `engine_args` where vLLM refuses a call for how it was started.
"""

import json
import re
from typing import Final

import httpx

_KINDS: Final = (
    "the engine runs this model for another kind of call; where the model can do both, "
    "engine_args={'runner': 'generate'} is for chat and text, {'runner': 'pooling'} for embeddings, rerank and scores"
)
_ADVICE: Final = (
    (re.compile("^Not Found$|does not support (the )?[\\w ]*API|not supported by the model"), _KINDS),
    (
        re.compile("--enable-auto-tool-choice|--tool-call-parser|tool[ _-]call[ _-]?parser"),
        "engine_args={'enable_auto_tool_choice': True, 'tool_call_parser': '...'}; the parser is the model family's "
        "(hermes, llama3_json, mistral, ...)",
    ),
    (
        re.compile("chat template", re.IGNORECASE),
        "engine_args={'chat_template': '/path/of/a/template.jinja'} gives a model without one its chat template",
    ),
    (
        re.compile("--limit-mm-per-prompt|limit_mm_per_prompt|At most 0 "),
        "engine_args={'limit_mm_per_prompt': {'image': 4}} sets how many images, videos or sounds a prompt may have",
    ),
    (re.compile("--enable-lora|LoRA is not enabled"), "engine_args={'enable_lora': True}"),
)
_OF_THE_BODY: Final = frozenset({"content-length", "content-encoding", "transfer-encoding"})


def with_advice(response: httpx.Response) -> httpx.Response:
    """
    Adds to a refusal of vLLM's what to set in `engine_args`.

    Args:
        response: its body has been read.

    Returns:
        The response, with a longer message where the reason is known.
    """
    try:
        answer: Final = response.json()
    except ValueError:
        return response
    error: Final = answer.get("error", answer) if isinstance(answer, dict) else None
    name: Final = "message" if isinstance(error, dict) and "message" in error else "detail"
    said: Final = error.get(name) if isinstance(error, dict) else None
    advice: Final = next((words for pattern, words in _ADVICE if isinstance(said, str) and pattern.search(said)), None)
    if advice is None or not isinstance(error, dict):
        return response
    error[name] = f"{said} [{advice}]"
    headers: Final = {key: value for key, value in response.headers.items() if key not in _OF_THE_BODY}
    content: Final = json.dumps(answer).encode()
    return httpx.Response(response.status_code, headers=headers, content=content)
