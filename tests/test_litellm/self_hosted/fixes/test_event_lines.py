"""The events of a Responses stream: what the shorter way reads is what openai's decoder and `json` read."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import chain, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai._streaming import SSEDecoder

import litellm
from litellm.responses import streaming_iterator
from litellm.responses.event_lines import EventDecoder, read_json
from support.plain_calls import Counter, responded
from support.recording import RecordingServer, Response

PLAIN = b'event: a\ndata: {"type": "response.of_a_later_server"}\n\n'
# Each assumption of the shorter way, broken.
WRITTEN = {
    "plain": PLAIN,
    "without a name": b'data: {"type": "response.of_a_later_server"}\n\n',
    "without a space": b"event:a\ndata:b\n\n",
    "two spaces": b"event:  a\ndata:  b\n\n",
    "empty": b"event: \ndata: \n\n",
    "no value": b"event\ndata\n\n",
    "name alone": b"event: a\n\n",
    "empty name alone": b"event:\n\n",
    "name behind": b"data: a\nevent: b\n\n",
    "two names": b"event: a\nevent: b\ndata: c\n\n",
    "two lines of data": b"data: a\ndata: b\n\n",
    "comment": b": ping\n\n",
    "comment between": b"event: a\n: ping\ndata: b\n\n",
    "id": b"id: 7\ndata: a\n\n",
    "id alone": b"id: 7\n\n",
    "id with a zero": b"id: a\0b\ndata: c\n\n",
    "retry": b"retry: 9\n\n",
    "retry and data": b"retry: 9\ndata: a\n\n",
    "retry of words": b"retry: soon\ndata: a\n\n",
    "unknown field": b"more: a\ndata: b\n\n",
    "blank lines": b"\n\n\n",
    "blank line": b"\n",
    "carriage returns": b"event: a\r\ndata: b\r\n\r\n",
    "carriage returns alone": b"event: a\rdata: b\r\r",
    "carriage return in data": b"data: a\rdata: b\n\n",
    "other ends of a line": "data: a\v\f\x1c\x85\u2028b\n\n".encode(),
    "letters of many bytes": "event: ä\ndata: ∞ 😀\n\n".encode(),
    "not UTF-8": b"data: \xff\n\n",
    "name that is not UTF-8": b"event: \xff\ndata: a\n\n",
    "byte order mark": b"\xef\xbb\xbfdata: a\n\n",
    "done": b"data: [DONE]\n\n",
}
ENDS = [b"", b"data: a", b"data: a\n", b"event: a\ndata: b\n", b"data: \xff", b"\r", b"data: a\n\n\r\n"]


def parts(body: bytes, size: int) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]


def decoded(decoder: SSEDecoder | EventDecoder, body: list[bytes]) -> list[Any]:
    """The events, and the error that ended them."""
    events: list[Any] = []
    try:
        events.extend((sse.event, sse.data, sse.id, sse.retry) for sse in decoder.iter_bytes(iter(body)))
    except ValueError as error:
        events.append(repr(error))
    return events


def adecoded(decoder: EventDecoder, body: list[bytes]) -> list[Any]:
    async def arriving() -> AsyncIterator[bytes]:
        for part in body:
            yield part

    async def read() -> list[Any]:
        events: list[Any] = []
        try:
            async for sse in decoder.aiter_bytes(arriving()):
                events.append((sse.event, sse.data, sse.id, sse.retry))
        except ValueError as error:
            events.append(repr(error))
        return events

    return asyncio.run(read())


def same(body: list[bytes]) -> None:
    expected = decoded(SSEDecoder(), body)
    assert decoded(EventDecoder(SSEDecoder()), body) == expected
    assert adecoded(EventDecoder(SSEDecoder()), body) == expected


@pytest.mark.parametrize("name", WRITTEN)
def test_each_way_to_write_an_event(name: str) -> None:
    for end in ENDS:
        for body in (WRITTEN[name] + end, PLAIN + WRITTEN[name] + PLAIN + end, 2 * WRITTEN[name] + 2 * PLAIN + end):
            for size in (1, 2, 3, 7, len(body)):
                same(parts(body, size))


@pytest.mark.parametrize("first", WRITTEN)
def test_each_pair_of_them(first: str) -> None:
    for second, size in product(WRITTEN.values(), (5, 1000)):
        same(parts(WRITTEN[first] + second + PLAIN, size))


PIECE = st.sampled_from(
    [b"event: ", b"data: ", b"data:", b"id: 1", b"\n", b"\n\n", b"\r", b"\r\n", b"a", b":", b"\xc3"]
)


@given(st.lists(st.lists(PIECE, max_size=8).map(b"".join), max_size=8))
def test_any_pieces_in_any_parts(body: list[bytes]) -> None:
    expected = decoded(SSEDecoder(), body)
    assert decoded(EventDecoder(SSEDecoder()), body) == expected


def test_an_event_comes_as_soon_as_it_is_whole() -> None:
    def arriving() -> Iterator[bytes]:
        yield PLAIN + b"data: a"
        assert read == 1
        yield b"\n\n: ping\n\ndata: b\n\n"
        assert read == 3
        yield b"data: c\n\n"

    read = 0
    for _ in EventDecoder(SSEDecoder()).iter_bytes(arriving()):
        read += 1
    assert read == 4


def test_a_plain_event_is_not_read_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards the other tests: what they compare is not openai's decoder with itself."""
    lines = Counter(monkeypatch, SSEDecoder, "decode")
    assert len(decoded(EventDecoder(SSEDecoder()), parts(100 * PLAIN, 11))) == 100
    assert lines.count == 0


def test_many_lines_without_an_end_are_left_to_openais() -> None:
    """They would be joined again with each part, which would cost their square."""

    class Asked(SSEDecoder):
        def iter_bytes(self, iterator: Iterator[bytes]) -> Iterator[Any]:
            first.append(next(iterator))
            return super().iter_bytes(chain(first, iterator))

    first: list[bytes] = []
    body = [b"data: a\n"] * 1000 + [b"\n"]
    assert decoded(EventDecoder(Asked()), body) == decoded(SSEDecoder(), body)
    assert first == [b"data: a\n" * 3]


NUMBERS = ["0", "-0", "-0.0", "1E2", "1e400", "-1e400", "1e-400", "0.1", "9007199254740993", "123456789012345678901234"]
NO_NUMBERS = ["01", "+1", "1.", ".5", "1e", "NaN", "-NaN", "Infinity", "-Infinity", "nan", "inf", "0x1", "1_0", "-"]
TEXTS = ['"\\ud83d\\ude00"', '"\\ud83d"', '"\\u0000"', '"\t"', '"\\x"', "'a'", '"a', '"\x7f\u2028"', '"\ud83d"']
NESTED = ["[]", "[1,]", "{}", '{"a":1,"b":2,"a":3}', '{"a":1,}', "{1:2}", '{"a" 1}', "[" * 300 + "]" * 300, "[" * 5]
OTHERS = ["", " ", "null", "Null", "true false", " 1 ", "\u00a01", "\ufeff1", "1\0", "// a", "[1] 2", "9" * 4301]


def loaded(load: Callable[[Any], object], text: str | bytes) -> object:
    try:
        return repr(load(text))  # which tells 1 from 1.0 and True
    except (ValueError, RecursionError) as error:
        return type(error), str(error)


@pytest.mark.parametrize("text", NUMBERS + NO_NUMBERS + TEXTS + NESTED + OTHERS, ids=lambda text: ascii(text)[:30])
def test_json(text: str) -> None:
    for around in ("{}", "[{}]", '{{"type": "a", "delta": {}}}'):
        whole = around.format(text)
        assert loaded(read_json, whole) == loaded(json.loads, whole)
        for encoding in ("utf-8", "utf-16", "utf-32-le"):
            encoded = whole.encode(encoding, "surrogatepass")
            assert loaded(read_json, encoded) == loaded(json.loads, encoded)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
)


@given(JSON, st.booleans(), st.none() | st.integers(0, 60))
def test_any_json(value: object, is_ascii: bool, cut: int | None) -> None:
    text = json.dumps(value, ensure_ascii=is_ascii)[:cut]
    assert loaded(read_json, text) == loaded(json.loads, text)


@pytest.mark.parametrize("name", [name for name in WRITTEN if "not UTF-8" not in name and name != "done"])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
async def test_a_call_gets_the_same_events(
    responses_call: dict[str, Any],
    server: RecordingServer,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    asynchronous: bool,
) -> None:
    def answered(request: Any) -> Response:
        answer = responded(request)
        first, *others = answer.chunks or ()
        return Response(chunks=[first, WRITTEN[name], *others], headers=answer.headers)

    server.responder = answered

    async def read() -> list[Any]:
        if asynchronous:
            return [event.model_dump() async for event in await litellm.aresponses(**responses_call)]
        return await asyncio.to_thread(lambda: [event.model_dump() for event in litellm.responses(**responses_call)])

    ours = await read()
    monkeypatch.setattr(streaming_iterator, "EventDecoder", lambda decoder: decoder)
    assert ours == await read()
    assert ours[-1]["type"] == "response.completed"
