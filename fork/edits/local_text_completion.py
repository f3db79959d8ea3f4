"""Text completion makes its client of litellm.client_session, without mounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

    from litellm.llms.openai.local_engine import local_engine_client

EDIT = Edit(__name__, __doc__, patch="local-engine")


@EDIT.start("litellm/llms/openai/completion/handler.py", "OpenAITextCompletion.completion")
def engine_client(
    client: OpenAI | AsyncOpenAI | None,
    api_base: str | None,
    timeout: float,
    acompletion: bool,
) -> None:
    client = client or local_engine_client(api_base, timeout, is_async=acompletion)  # rebind-ok: read below
