"""A Responses stream that raises in the middle closes its connection, although its caller keeps it."""

import asyncio
from typing import Any

import pytest

import litellm
from litellm.exceptions import MidStreamFallbackError
from support.recording import RecordingServer, Request, Response, streamed

ANSWER = {"id": "r", "object": "response", "created_at": 1, "model": "m", "output": []}
CREATED = {"type": "response.created", "response": {**ANSWER, "status": "in_progress"}}
SAYS = {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "content_index": 0, "delta": "Hi"}
FAILED = {
    "type": "response.failed",
    "response": {**ANSWER, "status": "failed", "error": {"code": "server_error", "message": "the engine died"}},
}
GOES_ON = 60.0
"""How long the server does not end the body, in seconds: longer than the test."""
CLOSED_SECONDS = 5.0


def failing(request: Request) -> Response:
    return streamed(CREATED, SAYS, FAILED, GOES_ON)


def open_connections(server: RecordingServer) -> int:
    """How many answers the server still works on a while later."""
    return sum(not request.closed.wait(CLOSED_SECONDS) for request in server.requests)


def test_a_stream_that_raises(server: RecordingServer, responses_call: dict[str, Any]) -> None:
    server.responder = failing
    streams = [litellm.responses(**responses_call) for _ in range(3)]
    for stream in streams:
        with pytest.raises((MidStreamFallbackError, litellm.InternalServerError), match="the engine died"):
            list(stream)
    assert open_connections(server) == 0


async def test_an_asynchronous_stream_that_raises(server: RecordingServer, responses_call: dict[str, Any]) -> None:
    server.responder = failing
    streams = [await litellm.aresponses(**responses_call) for _ in range(3)]
    for stream in streams:
        with pytest.raises((MidStreamFallbackError, litellm.InternalServerError), match="the engine died"):
            assert [event async for event in stream]
    assert await asyncio.to_thread(open_connections, server) == 0
