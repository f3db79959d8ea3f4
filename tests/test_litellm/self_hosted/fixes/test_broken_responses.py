"""A stream of the Responses API that breaks off raises an error of LiteLLM's, for which a Router falls back."""

from typing import Any

import pytest

import litellm
from litellm.exceptions import MidStreamFallbackError
from support.recording import CUT, RecordingServer, Response, streamed

CREATED = {
    "type": "response.created",
    "response": {"id": "r", "object": "response", "created_at": 1, "status": "in_progress", "model": "m", "output": []},
}
SAYS = {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "content_index": 0, "delta": "Hi"}


def broken(*events: dict[str, Any]) -> Response:
    return streamed(*events, CUT, done=False)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
async def test_a_stream_that_breaks_off(server: RecordingServer, to: dict[str, Any], asynchronous: bool) -> None:
    server.responder = lambda request: broken(CREATED, SAYS)
    call = {"input": "Hello", "stream": True, **to}
    with pytest.raises((MidStreamFallbackError, litellm.InternalServerError)):
        if asynchronous:
            assert [event async for event in await litellm.aresponses(**call)]
        else:
            list(litellm.responses(**call))
