"""Chat and text completions."""

from typing import Any

from hypothesis import strategies as st
from parity import answers as a
from parity.answers import some
from parity.endpoints.common import (
    called,
    given,
    merged,
    streamed_or,
    streaming,
)

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

chat = called(
    "chat",
    ("completion", "acompletion"),
    merged(chat_params, streaming, given(messages=conversations)),
    streamed_or(a.completion_body(a.choices, "chat.completion"), a.chat_streams),
    router=("completion", "acompletion"),
)

aimed_chat = called(
    "chat, aimed at templates",
    ("completion", "acompletion"),
    given(messages=st.just([{"role": "user", "content": "hello"}]), stream=st.just(True)),
    lambda params: st.tuples(a.aimed_streams),
)

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
