"""The endpoints of the differential suite: which calls, with which parameters, and what a server answers to them."""

import base64
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from parity import answers as a
from parity.answers import some
from parity.harness import Case, File
from parity.public_calls import png, wav

from support.recording import Response

MODELS = st.sampled_from(["m", "m", "org/name", "gpt-oss-120b", "o3-mini", "openai/gpt-4o", "hosted", "a:b@c"])
BASES = st.sampled_from(["/v1", "/v1", "/v1", "/v1/", "/openai/v1", "/some/path", "", "/"])
WAV = File("speech.wav", wav().getvalue())
PNG = File("picture.png", png().getvalue())
JSONL = File("requests.jsonl", b'{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {}}\n')

common = some(
    3,
    timeout=st.sampled_from([30, 12.5]),
    max_retries=st.integers(0, 2),
    extra_headers=st.sampled_from([{"x-a": "1"}, {"Authorization": "Bearer other"}, {"user-agent": "me"}]),
    headers=st.just({"x-b": "2"}),
    metadata=st.sampled_from([{}, {"tags": ["t"], "user_api_key": "hash"}]),
    litellm_metadata=st.just({"a": 1}),
    user=st.just("someone"),
    drop_params=st.booleans(),
    input_cost_per_token=st.just(0.001),
    output_cost_per_token=st.just(0.002),
)
"""Parameters that every call understands."""

routers = some(
    2,
    num_retries=st.integers(0, 2),
    retry_after=st.sampled_from([0, 1]),
    timeout=st.just(20),
    routing_strategy=st.just("simple-shuffle"),
    default_litellm_params=st.just({"metadata": {"d": 1}}),
    set_verbose=st.just(False),
)


@dataclass(frozen=True)
class Endpoint:
    """One endpoint: its name, its cases, and its share of all cases."""

    name: str
    cases: SearchStrategy[Case]
    share: int = 1


def called(
    endpoint: str,
    calls: tuple[str, ...],
    params: SearchStrategy[dict[str, Any]],
    answer: Callable[[dict[str, Any]], SearchStrategy[tuple[Response, ...]]],
    *,
    models: SearchStrategy[str | None] = MODELS,
    router: tuple[str, ...] = (),
    shared: SearchStrategy[dict[str, Any]] = common,
) -> SearchStrategy[Case]:
    """Cases that call one of `calls`, or one of `router` on a Router, with `params` and some common parameters;
    `answer` gives the strategy of the server's answers for the parameters drawn."""

    @st.composite
    def build(draw: Any) -> Case:
        arguments = {**draw(params), **draw(shared)}
        model = draw(models)
        case = Case(
            endpoint=endpoint,
            call=draw(st.sampled_from(calls)),
            params=arguments,
            answers=draw(answer(arguments)),
            model=model,
            ask=draw(st.sampled_from(["prefix", "prefix", "provider"])) if model else "provider",
            base=draw(BASES),
            configured=draw(st.sampled_from(["arguments"] * 4 + ["environment", "module"])),
            key=draw(st.sampled_from(["sk-case", "sk-case", None])),
        )
        if router and draw(st.integers(0, 3)) == 0:
            arguments = {k: v for k, v in arguments.items() if k not in ("max_retries", "headers")}
            return replace(
                case, call=draw(st.sampled_from(router)), via="router", params=arguments, router=draw(routers)
            )
        return case

    return build()


# ------------------------------------------------------------------------------------------------- chat

TOOLS = [
    {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "additionalProperties": False}}},
    {"type": "function", "function": {"name": "g", "description": "d", "strict": True, "parameters": {}}},
    {"type": "custom", "custom": {"name": "c", "description": "free", "input_schema": {"type": "object"}}},
    {"type": "custom", "name": "d"},
    {"type": "web_search_preview"},
]

CONTENTS: list[Any] = [
    "hello",
    [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}],
    [{"type": "image_url", "image_url": "https://example.com/a.png"}],
    [{"type": "file", "file": {"file_id": "https://example.com/clip.mp4"}}],
    [{"type": "file", "file": {"file_data": "data:video/mp4;base64,AA=="}}],
    [{"type": "file", "file": {"file_id": "file-1", "format": "video/mp4"}}],
    [{"type": "file", "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"}}],
    [{"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}],
    [{"type": "video_url", "video_url": {"url": "https://example.com/v.mp4"}}],
]

TURNS: list[list[dict[str, Any]]] = [
    [{"role": "system", "content": "be brief"}],
    [{"role": "developer", "content": "be brief"}],
    [{"role": "user", "content": "first", "name": "ann"}, {"role": "assistant", "content": "answer"}],
    [
        {"role": "assistant", "content": None,
         "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "42"},
    ],
    [{"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
      "thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": "s"}], "reasoning_content": "hm"}],
    [{"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}],
      "reasoning_content": None}],
    [{"role": "assistant", "content": "x", "function_call": {"name": "f", "arguments": "{}"}},
     {"role": "function", "name": "f", "content": "1"}],
]  # fmt: skip


def conversation(turns: list[list[dict[str, Any]]], content: Any) -> list[dict[str, Any]]:
    return [*(message for turn in turns for message in turn), {"role": "user", "content": content}]


conversations = st.builds(conversation, st.lists(st.sampled_from(TURNS), max_size=2), st.sampled_from(CONTENTS))

FORMATS = [
    {"type": "json_object"},
    {"type": "text"},
    {"type": "json_schema", "json_schema": {"name": "s", "strict": True, "schema": {"type": "object"}}},
]

chat_params = some(
    5,
    temperature=st.sampled_from([0, 0.7, 2.0]),
    top_p=st.sampled_from([0.1, 1]),
    n=st.sampled_from([1, 2]),
    max_tokens=st.integers(1, 64),
    max_completion_tokens=st.integers(1, 64),
    stop=st.sampled_from(["END", ["a", "b"], []]),
    seed=st.integers(0, 9),
    logprobs=st.booleans(),
    top_logprobs=st.integers(0, 5),
    presence_penalty=st.just(0.5),
    frequency_penalty=st.just(-0.5),
    logit_bias=st.just({"50256": -100}),
    response_format=st.sampled_from(FORMATS),
    tools=st.lists(st.sampled_from(TOOLS), max_size=3),
    tool_choice=st.sampled_from(["auto", "none", "required", {"type": "function", "function": {"name": "f"}}]),
    parallel_tool_calls=st.booleans(),
    functions=st.just([{"name": "f", "parameters": {}}]),
    function_call=st.sampled_from(["auto", {"name": "f"}]),
    reasoning_effort=st.sampled_from(["low", "high", "none", "minimal", {"effort": "high", "summary": "auto"}]),
    thinking=st.sampled_from([{"type": "enabled", "budget_tokens": 1024}, {"type": "disabled"}, {"type": "enabled"}]),
    extra_body=st.sampled_from(
        [
            {"top_k": 5},
            {"chat_template_kwargs": {"enable_thinking": False}},
            {"structured_outputs": {"regex": "a+"}},
            {},
        ]
    ),
    top_k=st.integers(1, 9),
    min_p=st.just(0.1),
    guided_choice=st.just(["a", "b"]),
    modalities=st.just(["text", "audio"]),
    audio=st.just({"voice": "alloy", "format": "wav"}),
    prediction=st.just({"type": "content", "content": "x"}),
    service_tier=st.just("auto"),
    store=st.booleans(),
    verbosity=st.just("low"),
    web_search_options=st.just({}),
    safety_identifier=st.just("id"),
    prompt_cache_key=st.just("k"),
    num_retries=st.integers(0, 2),
    additional_drop_params=st.sampled_from([["temperature"], ["tools", "n"]]),
    allowed_openai_params=st.just(["tools", "custom"]),
    base_model=st.just("gpt-4o"),
    stream_options=st.just({"include_usage": True}),
    no_such_parameter=st.just(1),
)

streaming = st.sampled_from(
    [{}, {}, {"stream": False}, {"stream": True}, {"stream": True}, {"stream": True}]
    + [{"stream": True, "stream_options": {"include_usage": True}}]
)


def merged(*strategies: SearchStrategy[dict[str, Any]]) -> SearchStrategy[dict[str, Any]]:
    return st.tuples(*strategies).map(lambda parts: {key: value for part in parts for key, value in part.items()})


def given(**fixed: SearchStrategy[Any]) -> SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(fixed)


def streamed_or(body: SearchStrategy[Any], streams: SearchStrategy[Response]) -> Callable[[dict[str, Any]], Any]:
    return lambda params: a.answers(streams) if params.get("stream") else a.bodies(body)


chat = called(
    "chat",
    ("completion", "acompletion"),
    merged(chat_params, streaming, given(messages=conversations)),
    streamed_or(a.completion_body(a.choices, "chat.completion"), a.chat_streams),
    router=("completion", "acompletion"),
)

# ------------------------------------------------------------------------------------- text completion

text_choices = st.lists(
    st.fixed_dictionaries(
        {"text": a.TEXTS, "finish_reason": a.FINISH},
        optional={
            "logprobs": st.none() | st.just({"tokens": ["a"], "token_logprobs": [-0.5], "top_logprobs": None,
                                             "text_offset": [0]}),
            "stop_reason": st.none(),
        },
    ),
    min_size=1,
    max_size=2,
).map(a.numbered)  # fmt: skip

text_chunks = st.builds(
    lambda choices, more: (
        {"id": "cmpl-1", "object": "text_completion", "created": 1_700_000_000, "model": "m"}
        | {"choices": choices}
        | more
    ),
    text_choices,
    st.sampled_from([{}, {"usage": None}]),
)

text_completion = called(
    "text completion",
    ("text_completion", "atext_completion"),
    merged(
        some(
            4,
            max_tokens=st.integers(1, 9),
            temperature=st.sampled_from([0, 0.5]),
            echo=st.booleans(),
            logprobs=st.integers(0, 3),
            n=st.sampled_from([1, 2]),
            best_of=st.just(2),
            suffix=st.just("s"),
            stop=st.just(["a"]),
            extra_body=st.just({"top_k": 5}),
            top_k=st.just(3),
        ),
        streaming,
        given(prompt=st.sampled_from(["once", ["a", "b"], [1, 2, 3], [[1, 2], [3]], ""])),
    ),
    streamed_or(
        a.completion_body(text_choices, "text_completion"),
        a.streams(
            text_chunks,
            st.just([])
            | st.just(
                [
                    {
                        "id": "cmpl-1",
                        "choices": [],
                        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
                    }
                ]
            ),
        ),
    ),
    router=("atext_completion",),
)

# ------------------------------------------------------------------------------------------ embeddings

LARGE = [["a"] * 20, [[1, 2]] * 16]
EMBEDDING_INPUTS = ["one", ["one", "zwei"], [1, 2, 3], [[1, 2], [3]], [], "", [{"text": "object"}], *LARGE, *LARGE]


def vector(values: list[float], encoded: bool) -> Any:
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode() if encoded else values


def embedding_bodies(encoded: bool) -> SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda vectors, more: (
            {"object": "list", "model": "served"}
            | {
                "data": [
                    {"object": "embedding", "index": i, "embedding": vector(v, encoded)} for i, v in enumerate(vectors)
                ]
            }
            | more
        ),
        st.lists(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=4), max_size=3),
        some(
            usage=st.just({"prompt_tokens": 4, "total_tokens": 4}) | st.none(), id=st.just("embd-1"), created=a.CREATED
        ),
    )


embedding = called(
    "embeddings",
    ("embedding", "aembedding"),
    merged(
        some(
            3,
            encoding_format=st.sampled_from(["float", "base64"]),
            dimensions=st.sampled_from([16, 2]),
            extra_body=st.just({"truncate_prompt_tokens": 8}),
            num_retries=st.integers(0, 1),
            truncate_prompt_tokens=st.just(3),
            allowed_openai_params=st.just(["truncate_prompt_tokens"]),
        ),
        given(input=st.sampled_from(EMBEDDING_INPUTS)),
    ),
    lambda params: a.bodies(embedding_bodies(params.get("encoding_format") == "base64")),
    router=("embedding", "aembedding"),
)

# ---------------------------------------------------------------------------------------------- rerank

rerank_bodies = st.builds(
    lambda order, documents, more: (
        {"id": "rerank-1", "model": "m"}
        | {
            "results": [
                {"index": index, "relevance_score": 1 / (rank + 2)}
                | ({"document": {"text": f"d{index}", "multi_modal": None}} if documents else {})
                for rank, index in enumerate(order)
            ]
        }
        | more
    ),
    st.permutations([0, 1]),
    st.booleans(),
    some(usage=st.sampled_from([{"total_tokens": 7}, {"prompt_tokens": 5, "total_tokens": 7}, None])),
)

rerank = called(
    "rerank",
    ("rerank", "arerank"),
    merged(
        some(
            4,
            top_n=st.integers(1, 3),
            rank_fields=st.just(["text"]),
            return_documents=st.booleans(),
            max_tokens_per_doc=st.just(64),
            instruction=st.just("find"),
            truncate_prompt_tokens=st.sampled_from([8, "no"]),
            num_retries=st.integers(0, 1),
        ),
        st.sampled_from([{}] * 9 + [{"max_chunks_per_doc": 2}]),
        given(
            query=st.sampled_from(["what", ""]),
            documents=st.sampled_from(
                [["a", "b"], [{"text": "a"}, {"text": "b", "title": "t"}], [{"image": "x"}, "b"], []]
            ),
        ),
    ),
    lambda params: a.bodies(rerank_bodies),
    router=("arerank",),
)

# --------------------------------------------------------------------------------- audio transcription

transcription = called(
    "audio transcription",
    ("transcription", "atranscription"),
    merged(
        some(
            4,
            language=st.just("en"),
            prompt=st.just("spoken"),
            temperature=st.sampled_from([0, 0.2]),
            response_format=st.sampled_from(["json", "text", "verbose_json", "srt", "vtt"]),
            timestamp_granularities=st.sampled_from([["word"], ["segment", "word"]]),
            extra_body=st.just({"top_k": 1}),
            seed=st.just(3),
        ),
        given(file=st.just(WAV)),
    ),
    lambda params: a.answers(
        st.builds(
            a.good,
            st.sampled_from(
                [
                    {"text": "hello"},
                    {"text": "hi", "usage": {"type": "duration", "seconds": 1}},
                    {"text": "hi", "language": "en", "duration": 0.1, "segments": [{"id": 0, "start": 0, "end": 1,
                                                                                    "text": "hi"}], "words": None},
                ]
            ),
            a.HEADERS,
        )
        | st.sampled_from([Response(body="hello", headers={"content-type": "text/plain"})])
    ),
    router=("atranscription",),
)  # fmt: skip
