"""Events of an Anthropic stream: chunks of text alone become the same as by the way of all others, at less cost."""

import asyncio
import copy
import itertools
import sys
from typing import Any

import pytest

import litellm
from litellm.litellm_core_utils import text_chunks
from litellm.litellm_core_utils.text_chunks import only_text
from litellm.types.utils import Delta, StreamingChoices
from support.plain_calls import Counter
from support.recording import RecordingServer, events_in, streamed
from support.vllm_answers import USER, chunk

TOOL_CALL = {"index": 0, "id": "call_0", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
TOOLS = [{"name": "f", "input_schema": {"type": "object", "properties": {"a": {"type": "integer"}}}}]
START = chunk({"role": "assistant", "content": ""})
# What else a delta can say, each with a value that says it and one that says nothing.
BESIDE: dict[str, tuple[Any, Any]] = {
    "role": ("assistant", None),
    "reasoning_content": ("Think", ""),
    "refusal": ("No", ""),
    "tool_calls": ([TOOL_CALL], []),
    "thinking_blocks": ([{"type": "thinking", "thinking": "Think", "signature": "s"}], []),
    "of_a_later_server": ({"more": 1}, {}),
}
DELTAS = [
    {"content": content, **dict(zip(names, (BESIDE[name][which] for name in names), strict=True))}
    for content in ("Hi", "", None)
    for count in range(3)
    for names in itertools.combinations(BESIDE, count)
    for which in (0, 1)
]


@pytest.fixture(params=["sync", "async"])
def events(request: pytest.FixtureRequest, to: dict[str, Any], server: RecordingServer) -> Any:
    """Reads the stream that a server's chunks become; returns its events, without the id that each stream is given."""

    async def read(*chunks: dict[str, Any]) -> list[dict[str, Any]]:
        server.responder = lambda request: streamed(*copy.deepcopy(chunks))
        call = {"messages": copy.deepcopy(USER), "max_tokens": 64, "stream": True, "tools": copy.deepcopy(TOOLS), **to}
        if request.param == "sync":
            parts = await asyncio.to_thread(lambda: list(litellm.anthropic.messages.create(**call)))
        else:
            parts = [part async for part in await litellm.anthropic.messages.acreate(**call)]
        found = events_in(parts)
        for event in found:
            event.get("message", {}).pop("id", None)
        return found

    return read


def without_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in list(sys.modules.values()):
        if module is not text_chunks and vars(module).get("only_text") is only_text:
            monkeypatch.setattr(module, "only_text", lambda choices: None)


async def test_both_ways_make_the_same_events(events: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    streams = [
        [
            START,
            chunk({"content": "A"}),
            chunk(delta),
            chunk({"content": "B"}),
            chunk({"content": "C"}),
            chunk({}, "stop"),
        ]
        for delta in DELTAS[::5]
    ]
    several = [
        START,
        chunk({"content": "A"}),
        chunk({"content": "B"}, index=1),
        {**chunk({}), "choices": []},
        chunk({"content": "C"}),
        chunk({}, "stop"),
    ]
    last = [START, chunk({"content": "A"}), chunk({"content": "B"}, "stop")]
    streams += [several, last, last[:2]]
    short = [await events(*stream) for stream in streams]
    assert [event["delta"]["text"] for event in short[0] if event["type"] == "content_block_delta"][:2] == ["A", "Hi"]
    without_the_short_way(monkeypatch)
    assert [await events(*stream) for stream in streams] == short


@pytest.mark.parametrize("delta", DELTAS, ids=str)
def test_text_alone(delta: dict[str, Any]) -> None:
    says = [name for name, value in delta.items() if value]
    assert only_text([StreamingChoices(delta=Delta(**copy.deepcopy(delta)))]) == ("Hi" if says == ["content"] else None)


def test_what_is_no_text_of_one_choice() -> None:
    choice = StreamingChoices(delta=Delta(content="Hi"))
    parts = StreamingChoices(delta=Delta(content=["Hi"]))
    for choices in ([], [choice, choice], [object()], [parts], [{"delta": {"content": "Hi"}}]):
        assert only_text(choices) is None


async def test_a_chunk_of_text_is_not_asked_for_what_it_has_not(events: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Counter(monkeypatch, Delta, "__getattr__")
    length = 100
    stream = (START, *(chunk({"content": f"{n} "}) for n in range(length)), chunk({}, "stop"))

    async def times_asked() -> int:
        before = asked.count
        found = await events(*stream)
        assert sum(event["type"] == "content_block_delta" for event in found) == length
        return asked.count - before

    short = await times_asked()
    without_the_short_way(monkeypatch)
    assert short < await times_asked() - 5 * length
