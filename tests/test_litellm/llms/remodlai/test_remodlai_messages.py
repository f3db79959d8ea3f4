"""Streams of Anthropic messages that break off say so, whoever reads them."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

import litellm

KEY = "sk-messages"
SAYS = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}, "finish_reason": None}]}
CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", **SAYS}
REFUSED = {"error": {"message": "slow down", "type": "RateLimitError", "code": 429}}


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Events, and then an error of the connection's, or the end."""

    def __init__(self, events: list[dict[str, Any]], error: Exception | None) -> None:
        self.events = "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()
        self.error = error

    def __iter__(self) -> Iterator[bytes]:
        yield self.events
        if self.error is not None:
            raise self.error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self:
            yield part


async def events_of(provider: str, asynchronous: bool) -> list[dict[str, Any]]:
    call = {"model": f"{provider}/m", "api_base": "http://127.0.0.1:9/v1", "api_key": KEY, "stream": True}
    call |= {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 9}
    if asynchronous:
        parts = [part async for part in await litellm.anthropic.messages.acreate(**call)]
    else:
        parts = await asyncio.to_thread(lambda: list(litellm.anthropic.messages.create(**call)))
    lines = b"".join(parts).decode().splitlines()
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova", "hosted_vllm"])
@pytest.mark.parametrize("before", [[], [CHUNK]], ids=["first", "later"])
@pytest.mark.parametrize(
    ("last", "error", "kind", "message"),
    [
        ([], httpx.RemoteProtocolError("peer closed connection"), "api_error", "peer closed"),
        ([], httpx.ReadTimeout("timed out"), "api_error", "timed out"),
        ([REFUSED], None, "rate_limit_error", "slow down"),
    ],
    ids=["cut", "stalled", "refused"],
)
async def test_remodlai_messages_stream_that_breaks_off_ends_with_an_error(
    wire: Any,
    last: list[dict[str, Any]],
    error: Exception | None,
    kind: str,
    message: str,
    before: list[dict[str, Any]],
    provider: str,
    asynchronous: bool,
) -> None:
    headers = {"content-type": "text/event-stream"}
    wire.answer = lambda request: httpx.Response(
        200, stream=Body([*before, *last], error), headers=headers, request=request
    )
    events = await events_of(provider, asynchronous)
    assert (events[-1]["type"], events[-1]["error"]["type"]) == ("error", kind)
    assert message in events[-1]["error"]["message"]
    assert "message_stop" not in [event["type"] for event in events]
    assert KEY not in json.dumps(events)
