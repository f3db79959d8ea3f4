"""The rest of the endpoints: Responses API, Anthropic messages, media, decisions, files, batches, models,
pass-through, health check. See `endpoints.py`."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from parity import answers as a
from parity.answers import some
from parity.endpoints import (
    BASES,
    JSONL,
    MODELS,
    PNG,
    TURNS,
    Endpoint,
    called,
    chat,
    embedding,
    given,
    merged,
    rerank,
    streamed_or,
    streaming,
    text_completion,
    transcription,
)
from parity.harness import Case

from support.recording import Response

NO_MODEL = st.none()
plain_common = some(2, timeout=st.just(20), extra_headers=st.just({"x-a": "1"}))

# --------------------------------------------------------------------------------------- Responses API

OUTPUTS: list[dict[str, Any]] = [
    {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
     "content": [{"type": "output_text", "text": "Hello", "annotations": []}]},
    {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]},
    {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}", "status": "completed"},
]  # fmt: skip


def response_body(output: list[Any], status: str, more: dict[str, Any]) -> dict[str, Any]:
    head = {"id": "resp_1", "object": "response", "created_at": 1_700_000_000, "model": "served", "status": status}
    return {**head, "output": output, "parallel_tool_calls": True, "tool_choice": "auto", "tools": []} | more


response_bodies = st.builds(
    response_body,
    st.lists(st.sampled_from(OUTPUTS), max_size=3),
    st.sampled_from(["completed", "incomplete", "failed", "queued"]),
    some(
        usage=st.just({"input_tokens": 3, "output_tokens": 4, "total_tokens": 7,
                       "output_tokens_details": {"reasoning_tokens": 1}}),
        error=st.none() | st.just({"code": "server_error", "message": "boom"}),
        temperature=st.just(0.5),
        metadata=st.just({"a": "b"}),
        previous_response_id=st.just("resp_0"),
    ),
)  # fmt: skip

RESPONSE_EVENTS = [
    {"type": "response.output_item.added", "output_index": 0, "item": {**OUTPUTS[0], "content": []}},
    {"type": "response.content_part.added", "item_id": "msg_1", "output_index": 0, "content_index": 0,
     "part": {"type": "output_text", "text": "", "annotations": []}},
    {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": "Hé"},
    {"type": "response.output_text.done", "item_id": "msg_1", "output_index": 0, "content_index": 0, "text": "Hé"},
    {"type": "response.reasoning_text.delta", "item_id": "rs_1", "output_index": 0, "content_index": 0, "delta": "m"},
    {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": 1, "delta": "{"},
    {"type": "response.output_item.done", "output_index": 0, "item": OUTPUTS[0]},
    {"type": "response.unknown.event", "x": 1},
    {"type": "error", "code": "server_error", "message": "boom", "param": None},
]  # fmt: skip


def event(kind: str, response: Any) -> dict[str, Any]:
    return {"type": kind, "response": response, "sequence_number": 1}


response_streams = a.streams(
    st.sampled_from(RESPONSE_EVENTS)
    | st.builds(event, st.sampled_from(["response.created", "response.in_progress"]), response_bodies),
    st.lists(
        st.builds(
            event, st.sampled_from(["response.completed", "response.incomplete", "response.failed"]), response_bodies
        ),
        max_size=1,
    ),
)

RESPONSE_INPUTS: list[Any] = [
    "hello",
    [{"role": "user", "content": "hello"}],
    [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
    [{"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,AA=="}]}],
    [
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "42"},
    ],
    [{"type": "reasoning", "id": "rs_1", "summary": [], "status": None}, {"role": "assistant", "content": "x"}],
]

responses = called(
    "Responses API",
    ("responses", "aresponses"),
    merged(
        some(
            5,
            temperature=st.just(0.5),
            max_output_tokens=st.integers(1, 99),
            instructions=st.just("be brief"),
            tools=st.sampled_from([[{"type": "function", "name": "f", "parameters": {}}], [{"type": "web_search"}]]),
            tool_choice=st.just("auto"),
            reasoning=st.sampled_from([{"effort": "low"}, {"effort": "high", "summary": "auto"}]),
            text=st.just({"format": {"type": "json_object"}}),
            text_format=st.none(),
            store=st.booleans(),
            previous_response_id=st.just("resp_0"),
            include=st.just(["message.output_text.logprobs"]),
            parallel_tool_calls=st.booleans(),
            truncation=st.just("auto"),
            top_p=st.just(0.9),
            background=st.booleans(),
            extra_body=st.just({"top_k": 3}),
            extra_query=st.just({"q": "1"}),
            num_retries=st.integers(0, 1),
            service_tier=st.just("auto"),
        ),
        streaming,
        given(input=st.sampled_from(RESPONSE_INPUTS)),
    ),
    streamed_or(response_bodies, response_streams),
    router=("responses", "aresponses"),
)

ITEMS = {"object": "list", "data": OUTPUTS[:1], "first_id": "a", "last_id": "b", "has_more": False}

response_ids = st.sampled_from(["resp_1", "resp/../x", "a b"])

stored_responses = called(
    "Responses API: stored",
    ("get_responses", "aget_responses", "cancel_responses", "acancel_responses"),
    merged(given(response_id=response_ids), some(extra_query=st.just({"q": "1"}))),
    lambda params: a.bodies(response_bodies),
    models=NO_MODEL,
    shared=plain_common,
)

deleted_responses = called(
    "Responses API: delete",
    ("delete_responses", "adelete_responses"),
    given(response_id=response_ids),
    lambda params: a.bodies(st.just({"id": "resp_1", "object": "response", "deleted": True})),
    models=NO_MODEL,
    shared=plain_common,
)

response_items = called(
    "Responses API: input items",
    ("list_input_items", "alist_input_items"),
    merged(
        given(response_id=st.just("resp_1")),
        some(
            after=st.just("a"), before=st.just("b"), limit=st.integers(1, 50), order=st.sampled_from(["asc", "desc"]),
            include=st.just(["message.input_image.image_url"]),
        ),
    ),
    lambda params: a.bodies(st.just(ITEMS)),
    models=NO_MODEL,
    shared=plain_common,
)  # fmt: skip

compact_responses = called(
    "Responses API: compact",
    ("compact_responses", "acompact_responses"),
    merged(given(input=st.sampled_from(RESPONSE_INPUTS)), some(instructions=st.just("short"))),
    lambda params: a.bodies(response_bodies),
    shared=plain_common,
)

# ----------------------------------------------------------------------------------- Anthropic messages

anthropic_messages = st.lists(
    st.sampled_from(
        [
            {"role": "user", "content": "hello"},
            {"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]},
            {"role": "assistant", "content": [{"type": "text", "text": "a"}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "42"}]},
            {"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png",
                                                                      "data": "AA=="}}]},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "s"}]},
        ]
    ),
    min_size=1,
    max_size=3,
)  # fmt: skip

anthropic = called(
    "Anthropic messages",
    ("anthropic_interface.messages.create", "anthropic_interface.messages.acreate"),
    merged(
        some(
            4,
            system=st.sampled_from(["be brief", [{"type": "text", "text": "be brief"}]]),
            temperature=st.just(0.5),
            top_k=st.just(4),
            top_p=st.just(0.5),
            stop_sequences=st.just(["END"]),
            thinking=st.sampled_from([{"type": "enabled", "budget_tokens": 1024}, {"type": "disabled"}]),
            tools=st.just([{"name": "f", "description": "d", "input_schema": {"type": "object", "properties": {}}}]),
            tool_choice=st.sampled_from([{"type": "auto"}, {"type": "any"}, {"type": "tool", "name": "f"}]),
            metadata=st.just({"user_id": "u"}),
        ),
        streaming.map(lambda params: {"stream": bool(params.get("stream"))}),
        given(max_tokens=st.integers(1, 64), messages=anthropic_messages),
    ),
    lambda params: a.answers(
        a.chat_streams | response_streams
        if params["stream"]
        else st.builds(a.good, a.completion_body(a.choices, "chat.completion") | response_bodies, a.HEADERS)
    ),
    router=("aanthropic_messages",),
    shared=some(2, timeout=st.just(20), extra_headers=st.just({"x-a": "1"}), input_cost_per_token=st.just(0.001)),
)

# -------------------------------------------------------------------------------------- images, videos

image_edit = called(
    "image edit",
    ("image_edit", "aimage_edit"),
    merged(
        some(
            4,
            n=st.just(1),
            size=st.just("256x256"),
            response_format=st.sampled_from(["b64_json", "url"]),
            background=st.just("auto"),
            mask=st.just(PNG),
            quality=st.just("high"),
            seed=st.just(1),
            extra_body=st.just({"steps": 4}),
        ),
        given(image=st.sampled_from([PNG, [PNG, PNG]]), prompt=st.just("bluer")),
    ),
    lambda params: a.bodies(
        st.sampled_from(
            [
                {"created": 1_700_000_000, "data": [{"b64_json": "AA=="}]},
                {"created": 1_700_000_000, "data": [{"url": "http://x/y.png"}], "usage": {
                    "input_tokens": 1, "output_tokens": 2, "total_tokens": 3,
                    "input_tokens_details": {"text_tokens": 1, "image_tokens": 0}}},
            ]
        )
    ),
    router=("aimage_edit",),
    shared=some(2, timeout=st.just(20), extra_headers=st.just({"x-a": "1"}), user=st.just("u")),
)  # fmt: skip

VIDEO = {"id": "video_1", "object": "video", "created_at": 1_700_000_000, "status": "queued", "model": "m",
         "progress": 0, "seconds": "4", "size": "720x1280"}  # fmt: skip

video = called(
    "video",
    ("video_generation", "avideo_generation"),
    merged(
        some(
            4,
            seconds=st.just("4"),
            size=st.just("720x1280"),
            num_frames=st.just(8),
            fps=st.just(4),
            seed=st.just(1),
            negative_prompt=st.just("rain"),
            generate_sound=st.booleans(),
            lora=st.just({"name": "l"}),
            extra_body=st.just({"guidance_scale": 4.5}),
            input_reference=st.just(PNG),
            image_reference=st.just({"image_url": "data:image/png;base64,AA=="}),
        ),
        given(prompt=st.just("a cat")),
    ),
    lambda params: a.bodies(st.sampled_from([VIDEO, {**VIDEO, "status": "failed", "error": {"message": "no"}}])),
    router=("avideo_generation",),
    shared=plain_common,
)

stored_video = called(
    "stored video",
    ("video_status", "avideo_status", "video_content", "avideo_content", "video_list", "avideo_list"),
    given(video_id=st.just("video_1")),
    lambda params: (
        a.bodies(st.just(VIDEO)) | st.just((Response(body=b"\0\1mp4", headers={"content-type": "video/mp4"}),))
    ),
    models=NO_MODEL,
    shared=plain_common,
).map(
    lambda case: (
        case
        if "list" not in case.call
        else type(case)(**{**vars(case), "params": {k: v for k, v in case.params.items() if k != "video_id"}})
    )
)

# ------------------------------------------------------------------------------------------- decisions

QUESTIONS = [
    {"type": "predicate", "instructions": "Is it good?"},
    {"type": "choice", "name": "c", "instructions": "Which?", "choices": [{"value": "a"}, {"value": "b"}]},
    {"type": "score", "instructions": "How much?", "levels": [{"label": "low"}, {"label": "high"}]},
]
DECISION_ANSWERS = {
    "predicate": {"type": "noul", "noul": 0.25},
    "choice": {"type": "choice", "choice": "a", "confidence": 0.5, "probabilities": {"a": 0.75, "b": 0.25}},
    "score": {"type": "score", "score": 0.5, "confidence": 1.0, "legend": {"0": "low"}, "probabilities": {"1": 0.5}},
}
DECISION_INPUTS: list[Any] = [
    "text",
    "another text",
    [{"role": "user", "content": [{"type": "input_text", "text": "look"}]}],
    [{"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,AA=="}]}],
]


def decision_bodies(params: dict[str, Any]) -> SearchStrategy[dict[str, Any]]:
    """Answers to the questions asked, keyed as the server is asked them: by number, or by name where all have one."""
    asked = params["questions"]
    named = all("name" in question for question in asked) and len(asked) == 1
    keys = [question["name"] if named else str(number) for number, question in enumerate(asked)]
    answered = {key: DECISION_ANSWERS[question["type"]] for key, question in zip(keys, asked, strict=True)}
    usage = some(usage=st.just({"input_tokens": 3, "output_tokens": 1}), id=st.just("d1"))
    return st.builds(lambda answers, more: {"model": "m", "answers": answers} | more,
                     st.sampled_from([answered, answered, {}, {"0": None}]), usage)  # fmt: skip


decisions = called(
    "decisions",
    ("decisions", "adecisions"),
    merged(
        given(
            input=st.sampled_from(DECISION_INPUTS),
            questions=st.lists(st.sampled_from(QUESTIONS), min_size=1, max_size=3, unique_by=repr),
        ),
        st.sampled_from([{}, {}, {}, {"safety_identifier": "u"}, {"safety_identifier": "u", "drop_params": True}]),
    ),
    lambda params: a.bodies(decision_bodies(params)),
    router=("adecisions",),
    shared=plain_common,
)

# ------------------------------------------------------------------------------------- files and batches

FILE = {"id": "file-1", "object": "file", "bytes": 3, "created_at": 1_700_000_000, "filename": "a.jsonl",
        "purpose": "batch", "status": "processed"}  # fmt: skip
BATCH = {"id": "batch_1", "object": "batch", "endpoint": "/v1/chat/completions", "input_file_id": "file-1",
         "completion_window": "24h", "status": "validating", "created_at": 1_700_000_000, "errors": None,
         "request_counts": {"total": 0, "completed": 0, "failed": 0}}  # fmt: skip


def listing(item: dict[str, Any]) -> dict[str, Any]:
    return {"object": "list", "data": [item], "has_more": False, "first_id": item["id"], "last_id": item["id"]}


def both(*names: str) -> tuple[str, ...]:
    return tuple(name for plain_name in names for name in (plain_name, f"a{plain_name}"))


file_creation = called(
    "files: create",
    both("create_file"),
    merged(given(file=st.just(JSONL), purpose=st.sampled_from(["batch", "user_data"])), some(extra_body=st.just({}))),
    lambda params: a.bodies(st.just(FILE)),
    models=NO_MODEL,
    shared=plain_common,
)

stored_files = called(
    "files: stored",
    both("file_retrieve", "file_delete", "file_content"),
    given(file_id=st.sampled_from(["file-1", "file-2"])),
    lambda params: a.bodies(st.sampled_from([FILE, {"id": "file-1", "object": "file", "deleted": True}])),
    models=NO_MODEL,
    shared=plain_common,
)

file_listing = called(
    "files: list",
    both("file_list"),
    some(purpose=st.just("batch")),
    lambda params: a.bodies(st.just(listing(FILE))),
    models=NO_MODEL,
    shared=plain_common,
)

batch_creation = called(
    "batches: create",
    both("create_batch"),
    merged(
        given(
            completion_window=st.just("24h"),
            endpoint=st.sampled_from(["/v1/chat/completions", "/v1/embeddings"]),
            input_file_id=st.just("file-1"),
        ),
        some(metadata=st.just({"a": "b"})),
    ),
    lambda params: a.bodies(st.just(BATCH)),
    models=NO_MODEL,
    shared=plain_common,
)

stored_batches = called(
    "batches: stored",
    both("retrieve_batch", "cancel_batch"),
    given(batch_id=st.sampled_from(["batch_1", "batch_2"])),
    lambda params: a.bodies(st.sampled_from([BATCH, {**BATCH, "status": "cancelled"}])),
    models=NO_MODEL,
    shared=plain_common,
)

batch_listing = called(
    "batches: list",
    both("list_batches"),
    some(limit=st.integers(1, 9), after=st.just("batch_0")),
    lambda params: a.bodies(st.just(listing(BATCH))),
    models=NO_MODEL,
    shared=plain_common,
)

# ----------------------------------------------------------------- models, pass-through, health check

MODEL_LISTS = [
    {"object": "list", "data": [{"id": "m", "object": "model", "max_model_len": 2048}, {"id": "org/name"}]},
    {"object": "list", "data": []},
]

model_listing = called(
    "model listing",
    ("get_valid_models",),
    given(check_provider_endpoint=st.booleans()),
    lambda params: a.bodies(st.sampled_from(MODEL_LISTS)),
    models=NO_MODEL,
    shared=st.just({}),
)

model_info = st.builds(
    lambda answers, model, base, key: Case(
        endpoint="model info discovery",
        call="adiscover_model_info",
        params={},
        answers=answers,
        model=model,
        via="router",
        base=base,
        key=key,
    ),
    a.bodies(st.sampled_from(MODEL_LISTS)),
    MODELS,
    BASES,
    st.sampled_from(["sk-case", None]),
)

passthrough = called(
    "pass-through",
    ("llm_passthrough_route", "allm_passthrough_route"),
    merged(
        given(
            method=st.sampled_from(["POST", "GET"]),
            endpoint=st.sampled_from(["v1/chat/completions", "/tokenize", "v1/models", "score"]),
        ),
        some(
            json=st.sampled_from([{"model": "m", "prompt": "x"}, {"stream": True}]),
            request_query_params=st.just({"q": "1"}),
            request_headers=st.just({"x-a": "1"}),
        ),
    ),
    lambda params: a.answers(
        a.chat_streams
        if "stream" in (params.get("json") or {})
        else st.builds(a.good, st.just({"tokens": [1, 2]}), a.HEADERS)
    ),
    shared=st.just({}),
)

HEALTH_BODIES = {
    "chat": a.completion_body(a.choices, "chat.completion"),
    "embedding": st.just({"object": "list", "model": "m", "data": [{"index": 0, "embedding": [0.5]}]}),
    "rerank": st.just({"id": "r", "results": [{"index": 0, "relevance_score": 0.5}]}),
    "responses": response_bodies,
    "completion": st.just(
        {"id": "c", "choices": [{"index": 0, "text": "x"}], "model": "m", "object": "text_completion"}
    ),
    "audio_transcription": st.just({"text": "hello"}),
    "decisions": st.just({"answers": []}),
}

health = st.sampled_from(sorted(HEALTH_BODIES)).flatmap(
    lambda mode: called(
        "health",
        ("ahealth_check",),
        merged(given(mode=st.just(mode)), some(max_tokens=st.just(5), timeout=st.just(10))),
        lambda params: a.bodies(HEALTH_BODIES[mode]),
        shared=st.just({}),
    )
)

# -------------------------------------------------------------------------------------------- timeouts

SLOW = [
    Response(json={}, delay=5),
    Response(headers={"content-type": "text/event-stream"}, chunks=(*a.sse(a.chunk_of([]), done=False), 5)),
]

timeouts = called(
    "timeouts",
    ("completion", "acompletion", "embedding", "aembedding", "responses", "aresponses"),
    st.sampled_from([{"stream": True}, {}, {"max_retries": 1}, {"max_retries": 0}]).map(
        lambda params: {"timeout": 0.1, "messages": TURNS[0], "input": "hello", **params}
    ),
    lambda params: st.sampled_from(SLOW if params.get("stream") else SLOW[:1]).map(lambda answer: (answer,)),
    shared=st.just({}),
).map(lambda case: replace(case, params=_own_input(case)))


def _own_input(case: Case) -> dict[str, Any]:
    """The parameters without those of the other endpoints."""
    unused = "input" if "completion" in case.call else "messages"
    embeds = "embedding" in case.call
    return {k: v for k, v in case.params.items() if k != unused and not (embeds and k == "stream")}


# ----------------------------------------------------------------------------------------------- all

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("chat", chat, share=30),
    Endpoint("text completion", text_completion, share=10),
    Endpoint("embeddings", embedding, share=10),
    Endpoint("rerank", rerank, share=8),
    Endpoint("audio transcription", transcription, share=5),
    Endpoint("Responses API", responses, share=10),
    Endpoint("Responses API: stored", stored_responses, share=2),
    Endpoint("Responses API: delete", deleted_responses, share=1),
    Endpoint("Responses API: input items", response_items, share=2),
    Endpoint("Responses API: compact", compact_responses, share=1),
    Endpoint("Anthropic messages", anthropic, share=8),
    Endpoint("image edit", image_edit, share=4),
    Endpoint("video", video, share=4),
    Endpoint("stored video", stored_video, share=2),
    Endpoint("decisions", decisions, share=3),
    Endpoint("files: create", file_creation, share=2),
    Endpoint("files: stored", stored_files, share=3),
    Endpoint("files: list", file_listing, share=1),
    Endpoint("batches: create", batch_creation, share=2),
    Endpoint("batches: stored", stored_batches, share=2),
    Endpoint("batches: list", batch_listing, share=1),
    Endpoint("model listing", model_listing, share=1),
    Endpoint("model info discovery", model_info, share=2),
    Endpoint("timeouts", timeouts, share=1),
    Endpoint("pass-through", passthrough, share=4),
    Endpoint("health", health, share=4),
)
"""Every endpoint of the suite with its share of the cases."""
