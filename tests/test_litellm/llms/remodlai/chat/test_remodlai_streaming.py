"""
A stream of remodlai/ is, chunk by chunk and to everybody who observes it, the stream that hosted_vllm/ makes of the
same bytes: both are read here from one server, and whatever can be seen of them is compared.
"""

import asyncio
import copy
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

import litellm
from litellm import constants
from litellm.caching.caching import Cache
from litellm.integrations.custom_logger import CustomLogger
from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper
from litellm.llms.remodlai.chat.response_lines import MAX_ENDED
from litellm.llms.remodlai.chat.streaming import MAX_MISSES
from litellm.types.caching import LiteLLMCacheType

MESSAGES = [{"role": "user", "content": "Hello"}]
PATIENCE = 10.0
# Beside other work, all chunks of a short stream may be missed.
PATIENT_READS = 20


class Scripted:
    """A server on loopback that answers a chat request with the bytes put down for its model."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[bytes, bool]] = {}
        self.closed: dict[str, threading.Event] = {}
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        assert self._ready.wait(PATIENCE)

    async def _run(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        self._ready.set()
        await self._over.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)[1])
                model = json.loads(await reader.readexactly(length))["model"]
                body, whole = self.answers[model]
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
                )
                if body:
                    writer.write(b"%x\r\n%s\r\n" % (len(body), body))
                if model in self.closed:  # an endless answer: until the client hangs up
                    await reader.read()
                    self.closed[model].set()
                    break
                if not whole:
                    break
                writer.write(b"0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client has read what it wanted, or the tests are over
        finally:
            writer.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(PATIENCE)


@pytest.fixture(scope="module")
def server() -> Iterator[Scripted]:
    scripted = Scripted()
    yield scripted
    scripted.stop()


class Observer(CustomLogger):
    """
    Keeps every event of the streams that began after it was made.

    LiteLLM tells of a synchronous stream in threads, which may come to the one before when it is read already.
    """

    def __init__(self) -> None:
        super().__init__()
        self.made = datetime.now()
        self.events: list[tuple[str, Any, Any]] = []
        self.done = threading.Event()

    def _keep(self, name: str, kwargs: dict[str, Any], response: Any, began: datetime) -> None:
        if began >= self.made:
            self.events.append((name, kwargs.get("standard_logging_object"), response))
            self.done.set()

    def log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self._keep("success", kwargs, response_obj, start_time)

    def log_failure_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self._keep("failure", kwargs, response_obj, start_time)

    async def async_log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self._keep("async success", kwargs, response_obj, start_time)

    async def async_log_failure_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self._keep("async failure", kwargs, response_obj, start_time)


class ChunkObserver(Observer):
    """Is told of single chunks too."""

    def __init__(self) -> None:
        super().__init__()
        self.chunks: list[Any] = []

    def log_stream_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        if start_time >= self.made:
            self.chunks.append(response_obj)


@dataclass
class Seen:
    """What a caller and a logger saw of one stream."""

    chunks: list[Any] = field(default_factory=list)
    end: Any = None
    events: list[Any] = field(default_factory=list)
    wrapper: Any = None


CALLBACK_LISTS = (
    "callbacks",
    *(f"{kind}_callback" for kind in ("success", "failure", "_async_success", "_async_failure")),
)
# Differs from call to call, whatever the provider.
TIMES_AND_IDS = {
    *("created_at", "created", "startTime", "endTime", "completionStartTime", "response_time", "id", "trace_id"),
    *("litellm_call_id", "_response_ms", "litellm_overhead_time_ms", "callback_duration_ms", "traceback"),
    *("llm_provider-date", "date", "session_id"),
    *("error_traceback", "traceback_str"),  # name the code that raised
}
RANDOM_ID = re.compile(r"(chatcmpl-)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def seen(value: Any, name: str = "") -> Any:
    """A value whole: types, order, which fields were set; without what differs from call to call."""
    if isinstance(value, BaseModel):
        fields = [*value.__dict__.items(), *(value.__pydantic_extra__ or {}).items()]
        return (
            type(value).__name__,
            sorted(value.model_fields_set),
            [(key, seen(inner, key)) for key, inner in fields],
            seen(getattr(value, "_hidden_params", None)),
        )
    if isinstance(value, dict):
        return [(key, seen(inner, key)) for key, inner in value.items()]
    if isinstance(value, list | tuple):
        return [seen(inner) for inner in value]
    if name in TIMES_AND_IDS and not (name == "id" and isinstance(value, str) and not RANDOM_ID.fullmatch(value)):
        return type(value).__name__
    if isinstance(value, str):
        return RANDOM_ID.sub("<id>", value.replace("remodlai", "hosted_vllm").replace("Remodlai", "Hosted_vllm"))
    return type(value).__name__, value if isinstance(value, int | float | bool | None) else str(value)


def ended(error: Exception) -> Any:
    names = ("status_code", "llm_provider", "model", "generated_content", "is_pre_first_chunk", "message")
    original = getattr(error, "original_exception", None)
    return (
        type(error).__name__,
        seen({name: getattr(error, name, None) for name in names}),
        seen(str(error)),
        type(original).__name__,
        seen(str(original)),
    )


def watch(
    server: Scripted, provider: str, script: str, asynchronous: bool, observer: Observer | None, **params: Any
) -> Seen:
    """Reads the stream of `script` to its end as the model of `provider`."""
    result = Seen()
    call = {"model": f"{provider}/{script}", "messages": MESSAGES, "api_base": server.base, "api_key": "key"}
    call |= {"stream": True, **copy.deepcopy(params)}  # upstream changes what it is given
    for name in CALLBACK_LISTS:
        setattr(litellm, name, [])
    litellm.callbacks = [observer] if observer else []

    def read() -> None:
        stream = litellm.completion(**call)
        result.wrapper = stream
        for chunk in stream:
            result.chunks.append(seen(chunk))

    async def aread() -> None:
        stream = await litellm.acompletion(**call)
        result.wrapper = stream
        async for chunk in stream:
            result.chunks.append(seen(chunk))

    async def aread_and_log() -> None:
        try:
            await aread()
        finally:
            for _ in range(int(PATIENCE / 0.005)):
                if observer is None or observer.done.is_set():
                    break
                await asyncio.sleep(0.005)

    try:
        if asynchronous:
            asyncio.run(aread_and_log())
        else:
            read()
    except Exception as error:
        result.end = ended(error)
    if observer:
        assert observer.done.wait(PATIENCE), "no event was logged"
        result.events = [(name, seen(payload), seen(response)) for name, payload, response in observer.events]
    return result


def chunk(*choices: dict[str, Any], **fields: Any) -> dict[str, Any]:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "served"}
    return {**head, "choices": list(choices), **fields}


def choice(delta: Any, finish_reason: str | None = None, index: int = 0, **fields: Any) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish_reason, **fields}


def says(text: Any, **fields: Any) -> dict[str, Any]:
    return chunk(choice({"content": text}, **fields))


def calls(arguments: str, index: int = 0, **fields: Any) -> dict[str, Any]:
    return chunk(choice({"tool_calls": [{"index": index, "function": {"arguments": arguments}, **fields}]}))


def begins_call(index: int, name: str) -> dict[str, Any]:
    function = {"name": name, "arguments": ""}
    return chunk(
        choice({"tool_calls": [{"index": index, "id": f"call-{index}", "type": "function", "function": function}]})
    )


def token(text: str) -> dict[str, Any]:
    return {"token": text, "logprob": -0.1, "bytes": list(text.encode()), "top_logprobs": []}


def usage(total: int = 9, **fields: Any) -> dict[str, Any]:
    return {"prompt_tokens": 4, "completion_tokens": total - 4, "total_tokens": total, **fields}


ROLE = chunk(choice({"role": "assistant", "content": ""}))
STOP = chunk(choice({"content": ""}, "stop"))
WORDS = [says(text) for text in ("The", " sea", " is", "\n", " wide", ' “∞” \\ " \t', " 😀", "é")]
DONE = "[DONE]"
LONG = [says(f"word {i} ") for i in range(60)]

# What a server may send: events, JSON unless they are strings; strings with a newline are lines as they stand.
SCRIPTS: dict[str, list[Any]] = {
    "content": [ROLE, *WORDS, STOP, DONE],
    "long": [ROLE, *LONG, STOP, DONE],
    "no-role": [*WORDS, STOP, DONE],
    "no-done": [ROLE, *WORDS, STOP],
    "no-finish": [ROLE, *WORDS, DONE],
    "nothing": [],
    "only-done": [DONE],
    "only-finish": [STOP, DONE],
    "empty-content": [ROLE, *WORDS, says(""), says("a"), says(""), says(None), says("b"), STOP, DONE],
    "content-of-other-types": [ROLE, *WORDS, says(5), says(["a"]), says("b"), STOP, DONE],
    "json-in-content": [ROLE, says('{"content": "x"}'), says('"content":"y"'), says('\\"content": "z'), STOP, DONE],
    "done-in-content": [ROLE, *WORDS, says("ends with [DONE] they say"), *WORDS, STOP, DONE],
    "like-other-fields": [
        ROLE,
        says("assistant"),
        says("served"),
        says("chatcmpl-1"),
        says("stop"),
        *WORDS,
        STOP,
        DONE,
    ],
    "line-separators": [ROLE, *WORDS, says("a\u2028b"), says("c\x85d"), *WORDS, STOP, DONE],
    "role-in-each": [chunk(choice({"role": "assistant", "content": text})) for text in "abcdef"] + [STOP, DONE],
    "reasoning": [ROLE, *(chunk(choice({"reasoning": text})) for text in "think"), *WORDS, STOP, DONE],
    "reasoning-content": [ROLE, *(chunk(choice({"reasoning_content": text})) for text in "think"), *WORDS, STOP, DONE],
    "both": [ROLE, *(chunk(choice({"content": a, "reasoning_content": b})) for a, b in ("ab", "cb", "db", "de")), STOP],
    "tool-call": [ROLE, begins_call(0, "f"), *(calls(text) for text in ('{"a', '": ', '"b"', "}")), STOP, DONE],
    "tool-call-finish": [
        *(ROLE, begins_call(0, "f"), *(calls(text) for text in ('{"a', '": ', "1", "}"))),
        *(chunk(choice({}, "tool_calls")), DONE),
    ],
    "two-tool-calls": [
        *(ROLE, *WORDS, begins_call(0, "f"), *(calls(text) for text in ('{"a', '": 1', "}"))),
        *(begins_call(1, "g"), *(calls(text, 1) for text in ('{"b', '": 2', "}")), STOP, DONE),
    ],
    "tool-call-type-none": [ROLE, begins_call(0, "f"), *(calls(text, type=None, id=None) for text in "{}{}{}"), STOP],
    "logprobs": [ROLE, *(says(text, logprobs={"content": [token(text)]}) for text in "abcd"), STOP, DONE],
    "two-choices": [
        *(chunk(choice({"role": "assistant", "content": ""}, index=i)) for i in (0, 1)),
        *(chunk(choice({"content": text}, index=i)) for text in "abcd" for i in (0, 1)),
        *(chunk(choice({"content": ""}, "stop", index=i)) for i in (0, 1)),
        DONE,
    ],
    "two-choices-in-one": [
        ROLE,
        *(chunk(choice({"content": t}), choice({"content": t}, index=1)) for t in "abc"),
        STOP,
    ],
    "usage": [ROLE, *WORDS, STOP, chunk(usage=usage()), DONE],
    "usage-details": [
        *(ROLE, *WORDS, STOP),
        chunk(
            usage=usage(prompt_tokens_details={"cached_tokens": 2}, completion_tokens_details={"reasoning_tokens": 1})
        ),
        DONE,
    ],
    "usage-in-finish": [ROLE, *WORDS, chunk(choice({"content": ""}, "stop"), usage=usage()), DONE],
    "usage-in-each": [
        ROLE,
        *(chunk(choice({"content": t}), usage=usage(5 + i)) for i, t in enumerate("abcd")),
        STOP,
        DONE,
    ],
    "usage-null": [ROLE, *(chunk(choice({"content": text}), usage=None) for text in "abcdef"), STOP, DONE],
    "usage-in-the-middle": [ROLE, *WORDS, chunk(usage=usage()), *WORDS, STOP, DONE],
    "finish-with-content": [ROLE, *WORDS, says("end", finish_reason="length"), DONE],
    "content-after-finish": [ROLE, *WORDS, STOP, *WORDS, DONE],
    "finish-twice": [ROLE, *WORDS, STOP, STOP, DONE],
    "fields-of-chunk": [
        chunk(choice({"role": "assistant"}), system_fingerprint="fp", citations=["x"], service_tier="default"),
        *(chunk(choice({"content": t}), system_fingerprint="fp", service_tier="default", x=[1]) for t in "abcd"),
        *(STOP, DONE),
    ],
    "fields-of-choice": [ROLE, *(says(text, stop_reason=None, token_ids=None) for text in "abcd"), STOP, DONE],
    "lists-in-choice": [ROLE, *(says(text, token_ids=[1, 2]) for text in "abcd"), STOP, DONE],
    "fields-of-delta": [
        ROLE,
        *(chunk(choice({"content": t, "refusal": None, "provider_specific_fields": {"a": 1}})) for t in "abcd"),
        *(chunk(choice({"content": t, "unknown": "x"})) for t in "efgh"),
        *(STOP, DONE),
    ],
    "other-id-each": [ROLE, *({**says(text), "id": f"chatcmpl-{text}"} for text in "abcd"), STOP, DONE],
    "other-id-later": [ROLE, *WORDS, *({**says(text), "id": "chatcmpl-2"} for text in "abcd"), *WORDS, STOP, DONE],
    "other-model-later": [ROLE, *WORDS, *({**says(text), "model": "other"} for text in "abcd"), *WORDS, STOP, DONE],
    "other-time-each": [ROLE, *({**says(text), "created": i} for i, text in enumerate("abcd" * 20)), STOP, DONE],
    "no-id": [{k: v for k, v in one.items() if k not in ("id", "created", "model")} for one in (ROLE, *WORDS, STOP)],
    "no-delta": [ROLE, *WORDS, chunk({"index": 0, "finish_reason": None}), chunk(choice(None)), *WORDS, STOP, DONE],
    "no-choices": [ROLE, *WORDS, chunk(), chunk(choices=None), *WORDS, STOP, DONE],
    "error": [{"error": {"message": "no such thing", "type": "BadRequestError", "code": 400}}],
    "error-later": [ROLE, *WORDS, {"error": {"message": "boom", "type": "InternalServerError", "code": 500}}, DONE],
    "error-rate-limit": [ROLE, *WORDS, {"error": {"message": "slow down", "code": 429}}, DONE],
    "error-request": [ROLE, *WORDS, {"error": {"message": "maximum context length is 5 tokens", "code": 400}}, DONE],
    "error-text": [ROLE, *WORDS, {"error": "boom"}, DONE],
    "finish-error": [ROLE, *WORDS, chunk(choice({}, "error")), DONE],
    "finish-unknown": [ROLE, *WORDS, chunk(choice({}, "abort")), DONE],
    "comments": [": ping\n", ROLE, ": ping\n", *WORDS[:4], "event: message\n", *WORDS[4:], "  \n", "\n\n", STOP, DONE],
    "broken-json": [
        ROLE,
        *WORDS,
        'data: {"id": "x\n',
        *WORDS,
        "data: \n",
        "data: null\n",
        "data: 3\n",
        "x\n",
        *WORDS,
        STOP,
    ],
    "carriage-returns": ["".join(f"data: {json.dumps(one)}\r\n\r\n" for one in (ROLE, *WORDS, STOP)) + "\n"],
    "no-spaces": ["".join(f"data:{json.dumps(one, separators=(',', ':'))}\n\n" for one in (ROLE, *WORDS, STOP))],
    "surrogates": [ROLE, *WORDS, *('data: {"choices":[{"index":0,"delta":{"content":"\\ud83d"}}]}\n',) * 3, STOP, DONE],
    "repeats": [ROLE, *[says("same")] * 120, STOP, DONE],
    "repeats-just-not": [ROLE, *[says("same")] * 99, says("other"), *[says("same")] * 99, STOP, DONE],
    "repeats-short": [ROLE, *[says("a")] * 120, STOP, DONE],
    "repeats-broken": [
        ROLE,
        *[says("same")] * 60,
        chunk(choice({"reasoning": "hm"})),
        *[says("same")] * 60,
        STOP,
        DONE,
    ],
    "repeats-interrupted": [
        ROLE,
        *[says("same")] * 60,
        chunk(usage=usage()),
        says(""),
        *[says("same")] * 60,
        STOP,
        DONE,
    ],
}


def line(choice: str, chunk: str = "") -> str:
    head = '"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"served"'
    return f'data: {{{head},{chunk}"choices":[{{"index":0,{choice}"finish_reason":null}}]}}\n\n'


# Lines that hold a text twice: `!` becomes the one that upstream drops, `?` the one that it takes.
DECOYS = {
    "message": line('"message":{"content":!},"delta":{"content":?},'),
    "field-of-chunk": line('"delta":{"content":?},', '"extra":{"content":!},'),
    "same-key": line('"delta":{"content":!,"content":?},'),
    "escaped-key": line('"delta":{"content":!,"cont\\u0065nt":?},'),
    "escaped-key-before": line('"delta":{"cont\\u0065nt":!,"content":?},'),
    "same-delta": line('"delta":{"content":!},"delta":{"content":?},'),
    "same-choices": line('"delta":{"content":?},', '"choices":[{"index":0,"delta":{"content":!}}],'),
    "two-reasonings": line('"delta":{"reasoning_content":!,"reasoning":"b","content":?},'),
    "function-of-call": line('"delta":{"tool_calls":[{"index":0,"x":{"arguments":!},"function":{"arguments":?}}]},'),
}
PAIRS = [("a", "a"), ("aa", "a"), ("a", "aa"), ("aa", "aa"), ("b", "a"), ("b", "b"), ("a", "b"), ("a", "a")]
SCRIPTS |= {
    f"decoy-{name}": [
        ROLE,
        *(shape.replace("!", json.dumps(decoy)).replace("?", json.dumps(text)) for decoy, text in PAIRS),
        *(STOP, DONE),
    ]
    for name, shape in DECOYS.items()
}
CUT = {"cut-" + name: SCRIPTS[name] for name in ("content", "no-finish", "tool-call", "nothing", "no-done", "usage")}


def lines(events: list[Any]) -> bytes:
    texts = (
        one
        if isinstance(one, str) and one.endswith("\n")
        else f"data: {one}\n\n"
        if isinstance(one, str)
        else f"data: {json.dumps(one, ensure_ascii=False)}\n\n"
        for one in events
    )
    return "".join(texts).encode()


@pytest.fixture(scope="module", autouse=True)
def scripts(server: Scripted) -> None:
    server.answers.update({name: (lines(events), True) for name, events in SCRIPTS.items()})
    # Cut in the middle of the last line.
    server.answers.update({name: (lines(events)[:-9], False) for name, events in CUT.items()})


@pytest.fixture(autouse=True)
def callbacks() -> Iterator[None]:
    """Leaves LiteLLM's lists of callbacks as they were: a logger is put in each of them for one call only."""
    before = {name: list(getattr(litellm, name)) for name in CALLBACK_LISTS}
    yield
    for name, value in before.items():
        setattr(litellm, name, value)


def both(
    server: Scripted, script: str, asynchronous: bool, observer: type[Observer] | None, **params: Any
) -> list[Seen]:
    return [
        watch(server, provider, script, asynchronous, observer() if observer else None, **params)
        for provider in ("hosted_vllm", "remodlai")
    ]


def same(theirs: Seen, ours: Seen) -> None:
    assert isinstance(ours.wrapper, CustomStreamWrapper) == isinstance(theirs.wrapper, CustomStreamWrapper)
    for mine, their in zip(ours.chunks, theirs.chunks, strict=False):
        assert mine == their
    assert len(ours.chunks) == len(theirs.chunks)
    assert ours.end == theirs.end
    assert ours.events == theirs.events


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("script", [*SCRIPTS, *CUT])
def test_stream_is_hosted_vllms(server: Scripted, script: str, asynchronous: bool) -> None:
    # Upstream logs nothing of a stream without a chunk.
    same(*both(server, script, asynchronous, None if script.endswith("nothing") else Observer))


OPTIONS: dict[str, dict[str, Any]] = {
    "include_usage": {"stream_options": {"include_usage": True}},
    "usage_of_each": {"stream_options": {"include_usage": True, "continuous_usage_stats": True}},
    "no_usage": {"stream_options": {"include_usage": False}},
    "merged_reasoning": {"merge_reasoning_content_in_choices": True},
    "priced": {"input_cost_per_token": 0.001, "output_cost_per_token": 0.002},
    "json": {"response_format": {"type": "json_object"}},
    "tools": {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]},
    "fake": {"fake_stream": True},
}


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("script", ["content", "usage", "usage-in-each", "reasoning", "two-tool-calls", "two-choices"])
def test_options_of_a_call(server: Scripted, script: str, option: str, asynchronous: bool) -> None:
    same(*both(server, script, asynchronous, Observer, **OPTIONS[option]))


@pytest.mark.parametrize("script", ["long", "usage-in-the-middle", "reasoning", "two-choices"])
def test_loggers_that_see_each_chunk(server: Scripted, script: str) -> None:
    """Upstream tells them in threads, until the whole answer is logged: which chunks they miss is a matter of luck."""
    for provider in ("hosted_vllm", "remodlai"):
        told: list[Any] = []
        for _ in range(PATIENT_READS):
            observer = ChunkObserver()
            watch(server, provider, script, False, observer)
            told += [one.choices[0].delta.content for one in observer.chunks]
            if told:
                break
        sent = {one["choices"][0]["delta"].get("content") for one in SCRIPTS[script][:-1] if one["choices"]}
        assert told
        assert set(told) <= {*sent, None}


@pytest.mark.parametrize("function", [False, True], ids=["router only", "a function too"])
def test_a_router_is_not_told_of_each_chunk(server: Scripted, monkeypatch: pytest.MonkeyPatch, function: bool) -> None:
    """It counts calls; a function of the caller's gets what upstream gives it."""
    for name in CALLBACK_LISTS:
        monkeypatch.setattr(litellm, name, [])
    told: list[Any] = []

    def tell(self: CustomStreamWrapper, chunk: Any, cache_hit: bool) -> None:
        if self.model == "routed":  # and not a stream of the test before
            told.append(chunk)

    monkeypatch.setattr(CustomStreamWrapper, "run_success_logging_and_cache_storage", tell)
    # A Router's model is known from then on, and its calls are logged with a price.
    server.answers["routed"] = server.answers["long"]
    params = {"model": "remodlai/routed", "api_base": server.base, "api_key": "key"}
    router = litellm.Router(model_list=[{"model_name": "nova", "litellm_params": params}])
    if function:
        litellm.success_callback.append(lambda *event: None)
    chunks = list(router.completion(model="nova", messages=MESSAGES, stream=True))
    assert len(chunks) > MAX_MISSES
    assert bool(told) is function


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_rules_see_the_whole_text_so_far(server: Scripted, monkeypatch: pytest.MonkeyPatch, asynchronous: bool) -> None:
    texts: list[str] = []

    def rule(text: str) -> bool:
        texts.append(text)
        return "word 30" not in text

    monkeypatch.setattr(litellm, "post_call_rules", [rule])
    theirs, ours = both(server, "long", asynchronous, Observer)
    same(theirs, ours)
    assert ours.end is not None
    assert texts[: len(texts) // 2] == texts[len(texts) // 2 :]


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_stream_may_take_too_long(server: Scripted, monkeypatch: pytest.MonkeyPatch, asynchronous: bool) -> None:
    monkeypatch.setattr(constants, "LITELLM_MAX_STREAMING_DURATION_SECONDS", 60.0)
    same(*both(server, "long", asynchronous, None))

    async def slow() -> Any:
        stream = await litellm.acompletion(model="remodlai/long", messages=MESSAGES, api_base=server.base, stream=True)
        count = 0
        async for _ in stream:
            count += 1
            if count == 20:
                stream._stream_created_time -= 61
        return count

    with pytest.raises(litellm.Timeout, match="max streaming duration"):
        asyncio.run(slow())


def test_whole_answer_is_cached(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litellm, "cache", Cache(type=LiteLLMCacheType.LOCAL))
    call = {"model": "remodlai/long", "messages": MESSAGES, "api_base": server.base, "api_key": "key", "caching": True}
    first = [one.choices[0].delta.content for one in litellm.completion(**call, stream=True)]
    server.answers["long"], before = (b"", True), server.answers["long"]
    try:
        second = litellm.completion(**call, stream=True)
        assert "".join(one.choices[0].delta.content or "" for one in second) == "".join(text or "" for text in first)
    finally:
        server.answers["long"] = before


class Marker(CustomLogger):
    """Marks the last chunk, as a deployment hook may."""

    async def async_post_call_streaming_deployment_hook(
        self, request_data: Any, response_chunk: Any, call_type: Any
    ) -> Any:
        response_chunk.choices[0].delta.content = "marked"
        return response_chunk


def test_deployment_hook_changes_the_last_chunk(server: Scripted) -> None:
    async def last(provider: str) -> Any:
        litellm.callbacks = [Marker()]
        call = {"model": f"{provider}/long", "messages": MESSAGES, "api_base": server.base, "stream": True}
        return [seen(one) async for one in await litellm.acompletion(**call)]

    theirs, ours = asyncio.run(last("hosted_vllm")), asyncio.run(last("remodlai"))
    assert ours == theirs
    assert "marked" in repr(ours[-1])


def test_most_chunks_are_copies(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards the other tests: what they compare is not upstream's code with itself."""
    from litellm.llms.remodlai.chat.chunk_template import ChunkTemplate

    made: list[str] = []
    fill = ChunkTemplate.fill
    monkeypatch.setattr(ChunkTemplate, "fill", lambda self, text, at: (made.append(text), fill(self, text, at))[1])
    for script, at_least in {
        "long": 58,
        "reasoning": 8,
        "tool-call": 2,
        "two-choices": 6,
        "fields-of-delta": 2,
    }.items():
        made.clear()
        watch(server, "remodlai", script, False, None)
        assert len(made) >= at_least, script


def test_chunks_share_nothing(server: Scripted) -> None:
    call = {"model": "remodlai/long", "messages": MESSAGES, "api_base": server.base, "stream": True}
    for one in litellm.completion(**call):
        if one.choices[0].finish_reason is None:
            assert one.choices[0].delta.get("mark") is None
        one.choices[0].delta.mark = "x"
        one.choices[0].mark = "x"
        one.mark = "x"
        assert "mark" not in one._hidden_params
        one._hidden_params["mark"] = "x"


def shared(value: Any, ids: set[int], path: str = "") -> Iterator[str]:
    """The paths in a chunk of objects that can be changed and have one of these identities."""
    if isinstance(value, BaseModel | dict | list):
        if id(value) in ids:
            yield path
        if isinstance(value, BaseModel):
            private = value.__pydantic_private__ or {}
            value = {**value.__dict__, **(value.__pydantic_extra__ or {}), **private}
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from shared(inner, ids, f"{path}.{key}")


def identities(value: Any) -> set[int]:
    if not isinstance(value, BaseModel | dict | list):
        return set()
    inner: Any = value
    if isinstance(value, BaseModel):
        inner = {**value.__dict__, **(value.__pydantic_extra__ or {}), **(value.__pydantic_private__ or {})}
    return {id(value)}.union(*map(identities, inner.values() if isinstance(inner, dict) else inner))


SHARING = {
    "logprobs": [says(text, logprobs={"content": None}) for text in "abcdef"],
    "tool-calls": [
        chunk(choice({"content": text, "tool_calls": [{"index": 0, "function": {"arguments": ""}}]}))
        for text in "abcdef"
    ],
    "function-call": [
        chunk(choice({"content": text, "function_call": {"name": "f", "arguments": ""}})) for text in "abcdef"
    ],
    "fields": [
        chunk(choice({"content": text, "provider_specific_fields": {"a": 1}}), usage=usage()) for text in "abcdef"
    ],
    "content": [says(text) for text in "abcdef"],
}


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("script", SHARING)
def test_chunks_share_what_hosted_vllms_share(server: Scripted, script: str, asynchronous: bool) -> None:
    server.answers["sharing"] = (lines([ROLE, *SHARING[script], STOP, DONE]), True)

    def paths(provider: str) -> set[str]:
        call = {"model": f"{provider}/sharing", "messages": MESSAGES, "api_base": server.base, "stream": True}

        async def read() -> list[Any]:
            return [one async for one in await litellm.acompletion(**call)]

        chunks = asyncio.run(read()) if asynchronous else list(litellm.completion(**call))
        return {
            path
            for before, after in zip(chunks, chunks[1:], strict=False)
            for path in shared(after, identities(before))
        }

    assert paths("remodlai") <= paths("hosted_vllm")


def test_memory_does_not_grow_with_the_stream(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the end of a stream needs is a few chunks with the text of all."""
    # A Router that was made in this process leaves functions here, which might want to see each chunk.
    monkeypatch.setattr(litellm, "success_callback", [])
    monkeypatch.setattr(litellm, "_async_success_callback", [])
    call = {"model": "remodlai/long", "messages": MESSAGES, "api_base": server.base, "stream": True}
    stream = litellm.completion(**call)
    text = "".join(one.choices[0].delta.content or "" for one in stream)
    assert len(stream.chunks) < 10
    assert "".join(one.choices[0].delta.content or "" for one in stream.chunks if one.choices) == text


@pytest.fixture
def endless(server: Scripted) -> Iterator[threading.Event]:
    server.answers["endless"] = (lines([ROLE, *LONG]), True)
    server.closed["endless"] = threading.Event()
    yield server.closed["endless"]
    del server.closed["endless"]


def test_closing_early_hangs_up(server: Scripted, endless: threading.Event) -> None:
    call = {"model": "remodlai/endless", "messages": MESSAGES, "api_base": server.base, "stream": True}
    stream = litellm.completion(**call)
    for _ in range(20):
        next(stream)
    stream.close()
    assert endless.wait(PATIENCE)


def test_dropping_the_iterator_hangs_up(server: Scripted, endless: threading.Event) -> None:
    call = {"model": "remodlai/endless", "messages": MESSAGES, "api_base": server.base, "stream": True}
    for count, _ in enumerate(litellm.completion(**call)):
        if count == 20:
            break
    assert endless.wait(PATIENCE)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_an_error_hangs_up(server: Scripted, endless: threading.Event, asynchronous: bool) -> None:
    """Also while the error is kept, and with it, by its traceback, the stream."""
    server.answers["endless"] = (lines([ROLE, *WORDS, {"error": {"message": "boom", "code": 500}}]), True)
    call = {"model": "remodlai/endless", "messages": MESSAGES, "api_base": server.base, "stream": True}

    async def read() -> bool:
        with pytest.raises(litellm.exceptions.MidStreamFallbackError, match="boom") as kept:
            async for _ in await litellm.acompletion(**call):
                pass
        return await asyncio.to_thread(endless.wait, PATIENCE) and kept is not None

    if asynchronous:
        assert asyncio.run(read())
    else:
        with pytest.raises(litellm.exceptions.MidStreamFallbackError, match="boom") as kept:
            for _ in litellm.completion(**call):
                pass
        assert endless.wait(PATIENCE) and kept is not None


class Counted(Scripted):
    """Counts its connections."""

    connections = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await super()._serve(reader, writer)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_streams_one_after_another_use_one_connection(asynchronous: bool) -> None:
    server = Counted()
    server.answers["whole"] = (lines([ROLE, *WORDS, STOP, DONE]), True)
    call = {"model": "remodlai/whole", "messages": MESSAGES, "api_base": server.base, "stream": True}

    async def read_all() -> None:
        for _ in range(5):
            async for _ in await litellm.acompletion(**call):
                pass

    if asynchronous:
        asyncio.run(read_all())
    else:
        for _ in range(5):
            for _ in litellm.completion(**call):
                pass
            time.sleep(0.2)  # the end of the body arrives; the next call reads it
    server.stop()
    assert server.connections == 1


def own_threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


class Unfinished(Scripted):
    """Sends what it is told behind `[DONE]`, in place of the body's end, until the client hangs up."""

    connections = 0

    def __init__(self, behind: bytes, pause: float) -> None:
        self.behind, self.pause = behind, pause
        super().__init__()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)[1]))
            body = lines([ROLE, *WORDS, STOP, DONE])
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            writer.write(b"%x\r\n%s\r\n" % (len(body), body))
            while not reader.at_eof() and not writer.is_closing():
                writer.write(self.behind)
                await writer.drain()
                await asyncio.sleep(self.pause)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the client hung up, or the tests are over
        finally:
            self.connections -= 1
            writer.close()


@pytest.mark.parametrize(
    ("behind", "pause"),
    [(b"", 0.1), (b"4000\r\n" + b"x" * 0x4000 + b"\r\n", 0.0), (b"1", 0.05), (b"3\r\n: \n\r\n", 0.05)],
    ids=["nothing", "endless bytes", "slow size of a chunk", "slow comments"],
)
def test_body_without_end_is_not_waited_for(behind: bytes, pause: float) -> None:
    server = Unfinished(behind, pause)
    call = {"model": "remodlai/m", "messages": MESSAGES, "api_base": server.base, "stream": True}
    texts: list[str] = []

    def read(count: int) -> None:
        for _ in range(count):
            texts.append("".join(one.choices[0].delta.content or "" for one in litellm.completion(**call)))

    read(5)
    before = own_threads()
    thread = threading.Thread(target=read, args=(100,), daemon=True)
    thread.start()
    thread.join(6 * PATIENCE)
    assert not thread.is_alive()
    assert len(texts) == 105 and len(set(texts)) == 1
    assert own_threads() < before + 10
    for _ in range(int(PATIENCE / 0.05)):
        if server.connections <= MAX_ENDED:
            break
        time.sleep(0.05)
    assert server.connections <= MAX_ENDED
    server.stop()


def test_stream_ends_where_no_thread_can_start(server: Scripted) -> None:
    call = {"model": "remodlai/content", "messages": MESSAGES, "api_base": server.base, "stream": True}
    expected = len(list(litellm.completion(**call)))
    usual = threading.stack_size(1 << 46)  # more than the machine has
    try:
        with pytest.raises(RuntimeError, match="can't start new thread"):
            threading.Thread(target=time.time).start()
        assert len(list(litellm.completion(**call))) == expected
    finally:
        threading.stack_size(usual)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_closed_stream_gives_nothing_more(server: Scripted, asynchronous: bool) -> None:
    call = {"model": "remodlai/long", "messages": MESSAGES, "api_base": server.base, "stream": True}

    async def read() -> list[Any]:
        stream = await litellm.acompletion(**call)
        for _ in range(20):
            await anext(stream)
        stream.close()
        return [one async for one in stream]

    if asynchronous:
        assert asyncio.run(read()) == []
    else:
        stream = litellm.completion(**call)
        for _ in range(20):
            next(stream)
        stream.close()
        assert list(stream) == []


@pytest.mark.skipif(not hasattr(CustomStreamWrapper, "__exit__"), reason="upstream's streams since 1.108")
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_leaving_a_with_block_hangs_up(server: Scripted, endless: threading.Event, asynchronous: bool) -> None:
    call = {"model": "remodlai/endless", "messages": MESSAGES, "api_base": server.base, "stream": True}

    async def read() -> list[Any]:
        async with await litellm.acompletion(**call) as stream:
            for _ in range(20):
                await anext(stream)
        assert await asyncio.to_thread(endless.wait, PATIENCE)
        return [one async for one in stream]

    if asynchronous:
        assert asyncio.run(read()) == []
    else:
        with litellm.completion(**call) as stream:
            for _ in range(20):
                next(stream)
        assert endless.wait(PATIENCE)
        assert list(stream) == []


@pytest.mark.skipif(not hasattr(CustomStreamWrapper, "partial_response"), reason="upstream's streams since 1.109")
@pytest.mark.parametrize("count", [0, 1, 2, 5, 30])
def test_part_of_a_stream_is_hosted_vllms(server: Scripted, count: int) -> None:
    def part(provider: str) -> Any:
        call = {"model": f"{provider}/long", "messages": MESSAGES, "api_base": server.base, "stream": True}
        stream = litellm.completion(**call)
        for _ in range(count):
            next(stream)
        partial = seen(stream.partial_response())
        assert partial == seen(stream.partial_response())
        rest = [seen(one) for one in stream]
        return partial, rest, seen(stream.partial_response())

    assert part("remodlai") == part("hosted_vllm")


def test_chunks_so_far_hold_all_that_was_read(server: Scripted) -> None:
    call = {"model": "remodlai/long", "messages": MESSAGES, "api_base": server.base, "stream": True}
    stream = litellm.completion(**call)
    texts = []
    for count in range(30):
        texts.append(next(stream).choices[0].delta.content or "")
        if count % 7 == 0:
            assert "".join(one.choices[0].delta.content or "" for one in stream.chunks) == "".join(texts)
            assert stream.response_uptil_now == "".join(texts)
    stream.close()


def test_the_list_of_chunks_is_the_same_from_the_first_one_on(server: Scripted) -> None:
    """The Router hands it on before the first chunk, and a proxy bills from it what a client had got before it left."""
    call = {"model": "remodlai/long", "messages": MESSAGES, "api_base": server.base, "stream": True}
    stream = litellm.completion(**call)
    chunks = stream.chunks
    read: list[str] = []
    for look in (len, list, lambda them: them[0], lambda them: list(reversed(them))):
        read += [next(stream).choices[0].delta.content or "" for _ in range(7)]
        look(chunks)
        assert "".join(one.choices[0].delta.content or "" for one in list.copy(chunks)) == "".join(read)
        assert stream.chunks is chunks and stream.response_uptil_now == "".join(read)
    stream.close()


def test_a_stream_that_has_ended_stays_so(server: Scripted) -> None:
    server.answers["whole"] = (lines([ROLE, *WORDS, STOP, DONE]), True)
    call = {"model": "remodlai/whole", "messages": MESSAGES, "api_base": server.base, "stream": True}
    stream = litellm.completion(**call)
    assert len(list(stream)) > len(WORDS)
    stream.close()
    assert list(stream) == []


HANG_UPS = ["close", "aclose", "drop", "cancel while waiting", "cancel between chunks"]


@pytest.mark.parametrize("transport", ["aiohttp", "httpx"])
@pytest.mark.parametrize("how", HANG_UPS)
def test_ending_an_async_stream_early_hangs_up(
    server: Scripted, endless: threading.Event, monkeypatch: pytest.MonkeyPatch, how: str, transport: str
) -> None:
    monkeypatch.setattr(litellm, "disable_aiohttp_transport", transport == "httpx")
    monkeypatch.setattr(litellm, "in_memory_llm_clients_cache", type(litellm.in_memory_llm_clients_cache)())
    call = {"model": "remodlai/endless", "messages": MESSAGES, "api_base": server.base, "stream": True}

    read_chunks: list[Any] = []

    async def read(until: int) -> Any:
        stream = await litellm.acompletion(**call)
        for _ in range(until):
            read_chunks.append(await anext(stream))
        return stream

    async def has_read(chunks: int) -> None:
        end = time.monotonic() + PATIENCE
        while len(read_chunks) < chunks:
            assert time.monotonic() < end
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)  # and what comes after them

    async def run() -> bool:
        if how == "cancel while waiting":
            task = asyncio.create_task(read(len(LONG) + 10))
            await has_read(20)
            task.cancel()
            await asyncio.wait([task])
            del task
        elif how == "cancel between chunks":

            async def pause() -> None:
                stream = await read(20)
                await asyncio.sleep(PATIENCE)
                await anext(stream)

            task = asyncio.create_task(pause())
            await has_read(20)
            task.cancel()
            await asyncio.wait([task])
            del task
        else:
            stream = await read(20)
            if how == "aclose":
                await stream.aclose()
            elif how == "close":
                stream.close()
            del stream
        # The loop goes on meanwhile: hanging up is not left to its end.
        return await asyncio.to_thread(endless.wait, PATIENCE)

    assert asyncio.run(run())


def test_router_falls_back_before_the_first_chunk(server: Scripted) -> None:
    server.answers["fails"] = (lines([{"error": {"message": "boom", "code": 500}}]), True)
    deployments = [
        {"model_name": name, "litellm_params": {"model": f"remodlai/{model}", "api_base": server.base, "api_key": "k"}}
        for name, model in (("first", "fails"), ("second", "content"))
    ]
    router = litellm.Router(model_list=deployments, fallbacks=[{"first": ["second"]}], num_retries=0)

    async def read() -> str:
        stream = await router.acompletion(model="first", messages=MESSAGES, stream=True)
        return "".join([one.choices[0].delta.content or "" async for one in stream])

    assert asyncio.run(read()) == "".join(one["choices"][0]["delta"]["content"] for one in WORDS)


TEXT = st.one_of(
    st.sampled_from(["a", "same", "", " ", "\n", "[DONE]", "assistant", '"', "\\", "😀"]), st.text(max_size=6)
)
DELTAS = st.one_of(
    st.builds(lambda text: {"content": text}, TEXT),
    st.builds(lambda text: {"reasoning": text}, TEXT),
    st.builds(lambda text: {"content": text, "reasoning_content": None}, TEXT),
    st.builds(lambda text, i: {"tool_calls": [{"index": i, "function": {"arguments": text}}]}, TEXT, st.integers(0, 1)),
    st.just({"role": "assistant", "content": ""}),
    st.just({}),
)
CHUNKS = st.builds(
    lambda delta, index, finish, more: chunk(choice(delta, finish, index), **more),
    DELTAS,
    st.sampled_from([0, 0, 0, 1]),
    st.sampled_from([None] * 12 + ["stop", "length", "tool_calls"]),
    st.sampled_from(
        [{}] * 8 + [{"usage": usage()}, {"usage": None}, {"id": "chatcmpl-2"}, {"created": 5}, {"model": "m"}]
    ),
)
EVENTS = st.one_of(
    *([CHUNKS] * 6),
    st.sampled_from([chunk(usage=usage()), chunk(), ": ping\n", "data: {\n", DONE, {"error": {"message": "boom"}}]),
)
# The same shape several times in a row is what templates are for.
STREAMS = st.lists(st.tuples(EVENTS, st.integers(1, 4)).map(lambda pair: [pair[0]] * pair[1]), max_size=12)


@settings(
    max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(events=STREAMS, asynchronous=st.booleans(), include_usage=st.booleans(), whole=st.booleans())
def test_any_stream_is_hosted_vllms(
    server: Scripted, events: list[list[Any]], asynchronous: bool, include_usage: bool, whole: bool
) -> None:
    body = lines([one for run in events for one in run])
    server.answers["any"] = (body if whole else body[:-5], whole)
    options = {"stream_options": {"include_usage": True}} if include_usage else {}
    same(*both(server, "any", asynchronous, None, **options))
