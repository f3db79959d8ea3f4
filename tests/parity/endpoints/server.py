"""What a server keeps and what it says about itself: files, batches, models; pass-through, health, timeouts."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from parity import answers as a
from parity.answers import some
from parity.endpoints.chat import TURNS
from parity.endpoints.common import (
    BASES,
    JSONL,
    MODELS,
    NO_MODEL,
    called,
    given,
    merged,
    plain_common,
)
from parity.endpoints.responses import response_bodies
from parity.harness import Case

from support.recording import Response

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
