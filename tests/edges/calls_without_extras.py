"""
Calls of every kind, with tools and from the cache, each plain and streamed, awaited and not; the first that fails ends
it.

    python calls_without_extras.py BASE
"""

import sys
from typing import Any

from edges.calls import EVERY_WAY, PROVIDERS, ask

import litellm

NAME, SCHEMA = "get_weather", {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS: dict[str, list[dict[str, Any]]] = {
    "completion": [{"type": "function", "function": {"name": NAME, "parameters": SCHEMA}}],
    "messages": [{"name": NAME, "input_schema": SCHEMA}],
    "responses": [{"type": "function", "name": NAME, "parameters": SCHEMA}],
}
# What the stand-in of a server answers.
SERVED = (*TOOLS, "text_completion", "embedding", "rerank", "transcription", "image_edit", "pass-through")


def main(base: str) -> None:
    for provider in PROVIDERS:
        for name, is_async, streamed in EVERY_WAY:
            if name not in SERVED:
                continue
            tools = {"tools": TOOLS[name]} if name in TOOLS else {}
            # A name for each, as an embedding and a response of one text have one key in LiteLLM's cache.
            to = {"model": f"{provider}/{name}", "api_base": base}
            litellm.cache = None
            ask(name, provider, is_async, streamed, **to, **tools)
            litellm.cache = litellm.Cache()
            for _time in range(2):
                ask(name, provider, is_async, streamed, caching=True, **to)


if __name__ == "__main__":
    main(sys.argv[1])
