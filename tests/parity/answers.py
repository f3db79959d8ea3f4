"""What a server may answer: strategies for chat answers and streams, and for failures of every kind."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from support.recording import CUT, Response, sse

TEXTS = st.sampled_from(["", "Hello", " wörld", "日本", "\n\n", "<think>", '{"a": 1}', "🙂", "a b c d e f", "\\u0000"])
IDS = st.sampled_from(["chatcmpl-1", "cmpl-abc", ""])
FINISH = st.sampled_from(["stop", "length", "tool_calls", "content_filter", "abort", None])
CREATED = st.sampled_from([1_700_000_000, 1_650_000_000])


def some(most: int = 4, **strategies: SearchStrategy[Any]) -> SearchStrategy[dict[str, Any]]:
    """A few of the given parameters, each with a value of its strategy."""
    names = st.lists(st.sampled_from(sorted(strategies)), max_size=most, unique=True)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({name: strategies[name] for name in chosen}))


def maybe(strategy: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return st.none() | strategy


usages = st.fixed_dictionaries(
    {"prompt_tokens": st.integers(0, 50), "completion_tokens": st.integers(0, 50), "total_tokens": st.integers(0, 99)},
    optional={
        "prompt_tokens_details": maybe(st.just({"cached_tokens": 3})),
        "completion_tokens_details": st.just({"reasoning_tokens": 2, "accepted_prediction_tokens": 0}),
        "cost": st.just(0.25),
    },
)

tool_calls = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from(["call_1", "chatcmpl-tool-2"]),
            "type": st.just("function"),
            "function": st.fixed_dictionaries(
                {"name": st.sampled_from(["f", "get_weather"]), "arguments": st.sampled_from(["{}", '{"a": "é"}', ""])}
            ),
        }
    ),
    min_size=1,
    max_size=2,
)

logprobs = st.lists(
    st.fixed_dictionaries(
        {
            "token": TEXTS,
            "logprob": st.sampled_from([-0.5, 0.0, -12.25]),
            "bytes": maybe(st.just([72, 105])),
            "top_logprobs": st.sampled_from([[], [{"token": "a", "logprob": -1.5, "bytes": [97]}]]),
        }
    ),
    max_size=2,
).map(lambda content: {"content": content})

messages = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": maybe(TEXTS)},
    optional={
        "tool_calls": st.just([]) | tool_calls,
        "reasoning_content": maybe(TEXTS),
        "reasoning": maybe(TEXTS),
        "refusal": maybe(TEXTS),
        "function_call": st.none() | st.just({"name": "f", "arguments": "{}"}),
        "annotations": st.none(),
        "audio": st.just({"id": "audio-1", "data": "UklGRg==", "expires_at": 1_800_000_001, "transcript": "hi"}),
        "provider_specific_fields": st.just({"a": 1}),
        "images": st.just([{"image_url": {"url": "data:image/png;base64,AA=="}, "type": "image_url", "index": 0}]),
    },
)


def numbered(choices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"index": index, **choice} for index, choice in enumerate(choices)]


choices = st.lists(
    st.fixed_dictionaries(
        {"message": messages, "finish_reason": FINISH},
        optional={"logprobs": maybe(logprobs), "stop_reason": st.sampled_from([None, 128009, "END"])},
    ),
    min_size=1,
    max_size=3,
).map(numbered)


def completion_body(choices: SearchStrategy[Any], kind: str) -> SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"id": IDS, "object": st.just(kind), "created": CREATED, "model": st.sampled_from(["m", "served"])}
        | {"choices": choices},
        optional={
            "usage": maybe(usages),
            "system_fingerprint": maybe(st.just("fp")),
            "service_tier": maybe(st.just("default")),
            "prompt_logprobs": maybe(st.just([None, {"1": {"logprob": -0.5, "rank": 1, "decoded_token": "a"}}])),
            "kv_transfer_params": maybe(st.just({"x": 1})),
        },
    )


deltas = st.fixed_dictionaries(
    {},
    optional={
        "content": maybe(TEXTS),
        "role": st.just("assistant"),
        "reasoning_content": maybe(TEXTS),
        "reasoning": maybe(TEXTS),
        "refusal": maybe(TEXTS),
        "tool_calls": st.lists(
            st.fixed_dictionaries(
                {
                    "index": st.integers(0, 1),
                    "function": st.fixed_dictionaries(
                        {"arguments": st.sampled_from(["", '{"a"', ": 1}", "{}"])},
                        optional={"name": maybe(st.sampled_from(["f", "get_weather"]))},
                    ),
                },
                optional={"id": maybe(st.sampled_from(["call_1", "chatcmpl-tool-2"])), "type": st.just("function")},
            ),
            max_size=2,
        ),
        "function_call": st.just({"name": "f", "arguments": "{}"}),
    },
)

plain_deltas = st.fixed_dictionaries({"content": TEXTS})
"""Most chunks of real streams are these."""

chunk_choices = st.lists(
    st.fixed_dictionaries(
        {"index": st.sampled_from([0, 0, 0, 1]), "delta": plain_deltas | deltas, "finish_reason": st.none()},
        optional={"logprobs": maybe(logprobs), "token_ids": st.none()},
    ),
    min_size=1,
    max_size=2,
)


def chunk_of(choices: Any, **more: Any) -> dict[str, Any]:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "served"}
    return {**head, "choices": choices, **more}


def usage_chunk(usage: Any) -> dict[str, Any]:
    return chunk_of([], usage=usage)


def finish_chunk(reason: Any, more: dict[str, Any]) -> dict[str, Any]:
    return chunk_of([{"index": 0, "delta": {}, "finish_reason": reason, **more}])


STREAM_ERRORS = [
    {
        "error": {
            "message": "EngineCore encountered an issue",
            "type": "InternalServerError",
            "param": None,
            "code": 500,
        }
    },
    {"error": {"message": "rate limited", "type": "RateLimitError", "code": 429}},
    {"error": "plain words"},
    {"object": "error", "message": "old style", "type": "BadRequestError", "param": None, "code": 400},
]

oddities = st.sampled_from(
    [
        ": a comment\n\n",
        "\n",
        "event: ping\ndata: {}\n\n",
        "data: not json\n\n",
        "data: {}\n\n",
        "data: []\n\n",
        'data: {"id": "x", "choices": null}\n\n',
        CUT,
        *(f"data: {json.dumps(error)}\n\n" for error in STREAM_ERRORS),
        *(f"event: error\ndata: {json.dumps(error)}\n\n" for error in STREAM_ERRORS[:1]),
    ]
)
"""What a stream may hold besides chunks: comments, errors inside a 200, broken lines, the connection's end."""


def recut(chunks: list[Any], sizes: list[int]) -> list[Any]:
    """The same bytes in other pieces, so that events and characters are torn between reads."""
    if any(not isinstance(chunk, str) for chunk in chunks) or not sizes:
        return chunks
    data, pieces = "".join(chunks).encode(), []
    while data:
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(data[:size])
        data = data[size:]
    return pieces


NO_RUNS: SearchStrategy[list[Any]] = st.nothing()


@st.composite
def streams(
    draw: Any,
    events: SearchStrategy[Any],
    ends: SearchStrategy[list[Any]],
    runs: SearchStrategy[list[Any]] = NO_RUNS,
) -> Response:
    """A stream of `events` and of whole `runs` of them, then `ends`; sometimes with an oddity in it or torn."""
    segments = draw(st.lists(st.lists(events, min_size=1, max_size=1) | runs, max_size=5))
    body = [*(event for segment in segments for event in segment), *draw(ends)]
    if draw(st.integers(0, 4)) == 0:
        body.insert(draw(st.integers(0, len(body))), draw(oddities))
    sizes = draw(st.just([]) | st.lists(st.sampled_from([7, 40, 333]), min_size=1, max_size=2))
    chunks = recut(sse(*body, done=draw(st.integers(0, 5)) > 0), sizes)
    headers = {"content-type": "text/event-stream"} | draw(st.sampled_from([{}, {"x-request-id": "r1"}]))
    return Response(headers=headers, chunks=tuple(chunks))


chat_chunks = st.builds(
    chunk_of, chunk_choices, usage=st.none() | usages, system_fingerprint=st.none() | st.just("fp")
) | st.builds(chunk_of, chunk_choices)

chat_ends = st.tuples(
    st.builds(finish_chunk, FINISH, st.sampled_from([{}, {"logprobs": None, "stop_reason": None}])),
    st.lists(st.builds(usage_chunk, usages), max_size=1),
).map(lambda pair: [pair[0], *pair[1]]) | st.just([])

RUN_DELTAS: list[Callable[[str], dict[str, Any]]] = [
    lambda text: {"content": text},
    lambda text: {"content": text},
    lambda text: {"reasoning_content": text},
    lambda text: {"role": "assistant", "content": text},
    lambda text: {"content": text, "tool_calls": []},
    lambda text: {"tool_calls": [{"index": 0, "function": {"arguments": text}}]},
]


def run_of(delta: Callable[[str], dict[str, Any]], texts: list[str], more: dict[str, Any]) -> list[dict[str, Any]]:
    return [chunk_of([{"index": 0, "delta": delta(text), "finish_reason": None, **more}]) for text in texts]


chat_runs = st.builds(
    run_of,
    st.sampled_from(RUN_DELTAS),
    st.lists(TEXTS, min_size=2, max_size=12),
    st.sampled_from([{}, {}, {"logprobs": None}, {"logprobs": None, "token_ids": None}]),
)
"""Most of a real stream: one chunk after the other that differs in its text alone."""

chat_streams = streams(chat_chunks, chat_ends, chat_runs)


def aimed_line(choice: str, chunk: str = "", more: str = "") -> str:
    """A chunk written by hand: `?` stands for its text, `!` for one that upstream drops or keeps apart."""
    head = '"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"served"'
    return f'{{{head},{chunk}"choices":[{{"index":0,{choice}"finish_reason":null}}{more}]}}'


AIMED_LINES = st.sampled_from(
    [
        aimed_line('"message":{"content":!},"delta":{"content":?},'),
        aimed_line('"delta":{"content":?},"message":{"content":!},'),
        aimed_line('"delta":{"content":?},', '"extra":{"content":!},'),
        aimed_line('"extra":{"content":!},"delta":{"content":?},'),
        aimed_line('"delta":{"extra":{"content":!},"content":?},'),
        aimed_line('"delta":{"provider_specific_fields":{"content":!},"content":?},'),
        aimed_line('"delta":{"content":!,"content":?},'),
        aimed_line('"delta":{"content":!,"cont\\u0065nt":?},'),
        aimed_line('"delta":{"cont\\u0065nt":!,"content":?},'),
        aimed_line('"delta":{"content":!},"delta":{"content":?},'),
        aimed_line('"delta":{"content":?},', '"choices":[{"index":0,"delta":{"content":!}}],'),
        aimed_line('"delta":{"reasoning_content":!,"reasoning":?},'),
        aimed_line('"delta":{"reasoning_content":!,"reasoning":"b","content":?},'),
        aimed_line('"delta":{"reasoning":!,"content":?},'),
        aimed_line('"delta":{"role":!,"content":?},'),
        aimed_line('"delta":{"refusal":!,"content":?},'),
        aimed_line('"delta":{"content":?},', '"system_fingerprint":!,'),
        aimed_line('"delta":{"content":?},"stop_reason":!,'),
        aimed_line('"delta":{"content":?},', more=',{"index":1,"delta":{"content":!}}'),
        aimed_line('"delta":{"content":!},', more=',{"index":0,"delta":{"content":?}}'),
        aimed_line('"delta":{"tool_calls":[{"index":0,"x":{"arguments":!},"function":{"arguments":?}}]},'),
        aimed_line('"delta":{"tool_calls":[{"index":0,"function":{"name":!,"arguments":?}}]},'),
        aimed_line('"delta":{"tool_calls":[{"index":0,"id":!,"function":{"arguments":?}}]},'),
        aimed_line(
            '"delta":{"tool_calls":[{"index":1,"function":{"arguments":!}},{"index":0,"function":{"arguments":?}}]},'
        ),
        aimed_line('"delta":{"function_call":{"name":"f","arguments":!},"content":?},'),
        aimed_line('"delta":{"content":?,"logprobs":{"content":!}},'),
    ]
)
AIMED_TEXTS = st.sampled_from(
    ['"a"', '"aa"', '"b"', '"assistant"', '"served"', '"chatcmpl-1"', '"stop"', '"7"', '""', "null"]
    + ['"\\ud83d"', '"\\u0061"', '"[DONE]"', '"data: "', '"\\"content\\":\\"x\\""', '"content"', "7"]
)
AIMED_STARTS = st.sampled_from(["data: ", "data: ", "data: ", "data:", "\ufeffdata: ", "data:  "])


def aimed_run(start: str, shape: str, texts: list[tuple[str, str]]) -> list[str]:
    return [f"{start}{shape.replace('!', decoy).replace('?', text)}\n\n" for decoy, text in texts]


aimed_runs = st.builds(
    aimed_run,
    AIMED_STARTS,
    AIMED_LINES,
    st.lists(st.tuples(AIMED_TEXTS, AIMED_TEXTS), min_size=2, max_size=6),
)
"""Lines that hold the same text in more places than one, some of which upstream drops."""

aimed_streams = streams(st.just(chunk_of([{"index": 0, "delta": {"role": "assistant"}}])), chat_ends, aimed_runs)

CONTEXT = "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens."

MESSAGES = st.sampled_from(
    [
        *("something went wrong", CONTEXT, "The model `x` does not exist.", "Invalid token", "", "quota exceeded"),
        *("content_policy_violation", "Unauthorized", "request timed out", "'temperature' must be non-negative"),
    ]
)

error_bodies = st.one_of(
    st.builds(lambda m, t, c: {"error": {"message": m, "type": t, "param": None, "code": c}}, MESSAGES,
              st.sampled_from(["BadRequestError", "NotFoundError", "invalid_request_error", "rate_limit_error"]),
              st.sampled_from([400, 404, 429, None, "context_length_exceeded"])),
    st.builds(lambda m: {"object": "error", "message": m, "type": "BadRequestError", "code": 400}, MESSAGES),
    st.builds(lambda m: {"detail": m}, MESSAGES),
)  # fmt: skip

STATUSES = st.sampled_from([400, 401, 403, 404, 408, 409, 413, 422, 429, 429, 500, 501, 502, 503, 504, 529, 302, 418])

error_headers = some(
    3,
    **{
        "retry-after": st.sampled_from(["0", "1", "7", "nonsense", "Fri, 31 Dec 1999 23:59:59 GMT"]),
        "x-ratelimit-remaining-requests": st.just("0"),
        "x-request-id": st.just("r1"),
        "x-should-retry": st.sampled_from(["true", "false"]),
    },
)

failures = st.one_of(
    st.builds(lambda s, h, b: Response(status=s, headers=h, json=b), STATUSES, error_headers, error_bodies),
    st.builds(
        lambda s, h, b: Response(status=s, headers={"content-type": "text/html", **h}, body=b),
        STATUSES,
        error_headers,
        st.sampled_from(["", "<html>Bad Gateway</html>", '{"error": {"message": "torn']),
    ),
    st.sampled_from(
        [
            Response(cut=True),
            Response(body="", headers={"content-type": "application/json"}),
            Response(body="{not json", headers={"content-type": "application/json"}),
            Response(body="<html>hello</html>", headers={"content-type": "text/html"}),
            Response(json=[]),
            Response(json={"error": {"message": "inside a 200", "type": "InternalServerError", "code": 500}}),
            Response(json={"choices": None, "data": None, "results": None}),
            Response(status=204),
        ]
    ),
)
"""Answers that are not the one asked for: error statuses, malformed bodies, no answer."""

HEADERS = some(2, **{"x-request-id": st.just("r1"), "x-ratelimit-remaining-tokens": st.just("99")})


def good(body: Any, headers: dict[str, str]) -> Response:
    return Response(json=body, headers=headers)


def answers(success: SearchStrategy[Response]) -> SearchStrategy[tuple[Response, ...]]:
    """Mostly a success at once; else a failure, or a failure and then a success."""
    return st.one_of(
        st.tuples(success), st.tuples(success), st.tuples(success), st.tuples(failures), st.tuples(failures, success)
    )


def bodies(body: SearchStrategy[Any]) -> SearchStrategy[tuple[Response, ...]]:
    """`answers` whose success is a JSON body."""
    return answers(st.builds(good, body, HEADERS))
