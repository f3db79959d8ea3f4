"""Events of a Responses stream: hooks change them where there are callbacks, and nothing is made for hooks without."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import litellm
from litellm.exceptions import MidStreamFallbackError
from litellm.integrations.custom_logger import CustomLogger
from litellm.llms.openai.responses.transformation import OpenAIResponsesAPIConfig
from litellm.responses import streaming_iterator
from support.plain_calls import Counter
from support.recording import RecordingServer, Request, Response, streamed

ANSWER = {"id": "r", "object": "response", "created_at": 1, "model": "m", "output": []}
USAGE = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
TEXTS = ["a", "b", "c"]


def says(text: str) -> dict[str, Any]:
    place = {"item_id": "m", "output_index": 0, "content_index": 0}
    return {"type": "response.output_text.delta", "delta": text, **place}


def answering(request: Request) -> Response:
    created = {"type": "response.created", "response": {**ANSWER, "status": "in_progress"}}
    completed = {"type": "response.completed", "response": {**ANSWER, "status": "completed", "usage": USAGE}}
    return streamed(created, *map(says, TEXTS), {"type": "response.of_a_later_server", "more": 1}, completed)


@pytest.fixture(params=["sync", "async"])
def events(
    request: pytest.FixtureRequest, responses_call: dict[str, Any], server: RecordingServer
) -> Callable[[], Awaitable[list[Any]]]:
    """Reads a stream to its end; returns its events."""
    server.responder = answering

    async def read() -> list[Any]:
        if request.param == "sync":
            return await asyncio.to_thread(lambda: list(litellm.responses(**responses_call)))
        return [event async for event in await litellm.aresponses(**responses_call)]

    return read


class Shouting(CustomLogger):
    async def async_post_call_streaming_deployment_hook(
        self, request_data: Any, response_chunk: Any, call_type: Any
    ) -> Any:
        if response_chunk.type == "response.output_text.delta":
            response_chunk.delta = response_chunk.delta.upper()
        return response_chunk


async def test_a_hook_changes_events(events: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litellm, "callbacks", [Shouting()])
    assert [event.delta for event in await events() if event.type == "response.output_text.delta"] == ["A", "B", "C"]


async def test_a_hook_that_comes_while_a_stream_is_read(
    responses_call: dict[str, Any], server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.responder = answering
    monkeypatch.setattr(litellm, "callbacks", [])
    texts = []
    for event in litellm.responses(**responses_call):
        if event.type == "response.output_text.delta":
            texts.append(event.delta)
            litellm.callbacks = [Shouting()]
    assert texts == ["a", "B", "C"]


class Ending(CustomLogger):
    """Keeps the answers that the hook of a call's end is given."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[Any] = []

    async def async_post_call_success_deployment_hook(self, request_data: Any, response: Any, call_type: Any) -> None:
        self.ends.append(response)


async def test_a_hook_of_the_end_is_given_the_answer(events: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = Ending()
    monkeypatch.setattr(litellm, "callbacks", [hook])
    last = (await events())[-1]
    await asyncio.sleep(0)
    assert [end.response.id for end in hook.ends if hasattr(end, "response")] == [last.response.id]


PIECES: list[dict[str, Any]] = [
    says("Hi"),
    {**says("Hi"), "logprobs": [{"token": "Hi", "logprob": -0.5}], "sequence_number": 7},
    {**says("Hi"), "of_a_later_server": {"more": 1}},
    {**says("Hi"), "delta": None},
    {**says("Hi"), "delta": {"text": "Hi"}},
    {**says("Hi"), "item": {"container_id": "c", "encrypted_content": "e"}, "annotation": {"container_id": "c"}},
    {**says("Hi"), "response": {**ANSWER, "status": "in_progress"}},
    {**says("Hi"), "error": None},
]


@pytest.mark.parametrize("piece", PIECES, ids=repr)
async def test_a_piece_of_text_becomes_the_same_by_both_ways(
    events: Any, server: RecordingServer, monkeypatch: pytest.MonkeyPatch, piece: dict[str, Any]
) -> None:
    completed = {"type": "response.completed", "response": {**ANSWER, "status": "completed"}}
    server.responder = lambda request: streamed(piece, completed)

    async def read() -> list[dict[str, Any]]:
        return [event.model_dump(exclude={"response": {"id"}}) for event in await events()]

    short = await read()
    assert len(short) == 2

    class NoPieceOfText:
        """Stands where the class of such events does, so that no event is one."""

    monkeypatch.setattr(streaming_iterator, "OutputTextDeltaEvent", NoPieceOfText)
    assert await read() == short


async def test_what_was_said_is_known_when_a_stream_breaks_off(
    events: Any, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = {"type": "error", "error": {"code": "server_error", "message": "out of memory"}}
    server.responder = lambda request: streamed(*map(says, TEXTS), refused)
    with pytest.raises(MidStreamFallbackError) as raised:
        await events()
    assert raised.value.generated_content == "".join(TEXTS)


async def test_no_event_loop_is_made_for_an_event_without_a_hook(events: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litellm, "callbacks", [])
    loops = Counter(monkeypatch, asyncio, "new_event_loop")
    received = await events()
    assert [event.type for event in received][1:4] == ["response.output_text.delta"] * len(TEXTS)
    assert received[4].type == "response.of_a_later_server" and received[4].more == 1
    # Where anything hears of it, the end of a synchronous stream is logged in a loop of its own.
    assert loops.count < len(received)


def test_the_classes_of_events_are_looked_up_once() -> None:
    find = OpenAIResponsesAPIConfig.get_event_model_class
    known = [find(kind) for kind in ("response.output_text.delta", "error", "response.unheard_of")]
    assert [each.__name__ for each in known] == ["OutputTextDeltaEvent", "ErrorEvent", "GenericEvent"]
    for number in range(10_000):
        assert find(event_type=f"response.{number}").__name__ == "GenericEvent"
    assert find.cache_info().currsize <= find.cache_info().maxsize
