"""A server that cannot answer embeddings in base64, which the caller did not ask for, is asked once more for floats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.llms.remodlai.embedding.floats import asks_again_for_floats

EDIT = Edit(__name__, __doc__, patch="embeddings")


@EDIT.decorator("litellm/llms/custom_httpx/llm_http_handler.py", "BaseLLMHTTPHandler.embedding")
def asking() -> object:
    return asks_again_for_floats
