"""
What later releases of LiteLLM do for `hosted_vllm` is done for both our providers, on every endpoint that it is for.

Each test says what the caller sees, for upstream's provider and for ours. One that an earlier release cannot pass is
skipped there; `make matrix` runs it on each release.
"""

import asyncio
from importlib.metadata import version
from typing import Any

import pytest
from edges.calls import CHAT, KEY, KINDS, PROVIDERS, ask, base

import litellm
from fork.releases import holds
from support.logger import RecordingLogger
from support.recording import RecordingServer, Response, streamed
from support.waiting import eventually

ALL = ("hosted_vllm", *PROVIDERS)
PATIENCE = 30.0
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
STOPPED: dict[str, Any] = {"index": 0, "finish_reason": "stop", "stop_reason": 128009, "token_ids": [7, 8]}
CHUNK = {"id": "c", "created": 1, "model": "m"}
MESSAGE = {"role": "assistant", "content": "hi"}
ANSWERS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "completion": ("chat.completion", {"message": MESSAGE}, {"delta": {"content": "hi"}}),
    "text_completion": ("text_completion", {"text": "hi"}, {"text": "hi"}),
}
"""By call: the object's name, and what a choice holds, in an answer and in a chunk."""
RESPONSE = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": "completed", "output": []}


def since(release: str) -> pytest.MarkDecorator:
    """Skips a test before a release."""
    return pytest.mark.skipif(not holds(f">={release}", version("litellm")), reason=f"upstream's since {release}")


each_provider = pytest.mark.parametrize("provider", ALL)
each_way = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


@since("1.110")
@each_way
@each_provider
@pytest.mark.parametrize("name", ANSWERS)
def test_stop_reason_and_token_ids_of_an_answer(
    server: RecordingServer, name: str, provider: str, is_async: bool
) -> None:
    kind, choice, _ = ANSWERS[name]
    server.responder = lambda request: Response(
        json={**CHUNK, "object": kind, "choices": [{**STOPPED, **choice}], "usage": USAGE}
    )
    [found] = ask(name, provider, is_async, api_base=base(server)).choices
    assert (found["stop_reason"], found["token_ids"]) == (128009, [7, 8])


@since("1.110")
@each_way
@each_provider
@pytest.mark.parametrize("name", ANSWERS)
def test_stop_reason_and_token_ids_of_a_stream(
    server: RecordingServer, name: str, provider: str, is_async: bool
) -> None:
    """Chunks of one shape, which our own reader makes from a template, and a last one with the reason."""
    kind, _, choice = ANSWERS[name]
    words = [{**STOPPED, **choice, "finish_reason": None, "stop_reason": None, "token_ids": [n]} for n in range(9)]
    chunks = [{**CHUNK, "object": f"{kind}.chunk", "choices": [one]} for one in (*words, {**STOPPED, **choice})]
    server.responder = lambda request: streamed(*chunks)
    found = [one.choices[0] for one in ask(name, provider, is_async, streamed=True, api_base=base(server))]
    assert [one["token_ids"] for one in found if one.get("token_ids")] == [*([n] for n in range(9)), [7, 8]]
    assert found[-1]["stop_reason"] == 128009
    assert not any(one.get("stop_reason") for one in found[: len(words)])


def asked(server: RecordingServer) -> dict[str, Any]:
    """The body of the one request."""
    [request] = server.take()
    return dict(request.json())


THINKING = {"type": "enabled", "budget_tokens": 2048}


@each_way
@each_provider
@pytest.mark.parametrize("name", ["completion", "messages"])
def test_thinking_is_sent_as_an_effort(server: RecordingServer, name: str, provider: str, is_async: bool) -> None:
    server.responder = lambda request: Response(
        json={**CHUNK, "object": "chat.completion", "choices": [{**STOPPED, "message": MESSAGE}], "usage": USAGE}
    )
    ask(name, provider, is_async, api_base=base(server), thinking=THINKING)
    sent = asked(server)
    assert sent["reasoning_effort"] == "medium"
    assert "thinking" not in sent


@since("1.109")
@each_provider
def test_a_thinking_budget_that_is_no_number(server: RecordingServer, provider: str) -> None:
    """The caller's mistake, which `drop_params` drops."""
    server.responder = lambda request: Response(
        json={**CHUNK, "object": "chat.completion", "choices": [{**STOPPED, "message": MESSAGE}], "usage": USAGE}
    )
    call = {"api_base": base(server), "thinking": {"type": "enabled", "budget_tokens": "many"}}
    with pytest.raises(litellm.UnsupportedParamsError):
        ask("completion", provider, **call)
    assert not server.take()
    ask("completion", provider, **call, drop_params=True)
    assert not asked(server).keys() & {"reasoning_effort", "thinking"}


@since("1.109")
@each_way
@each_provider
def test_meta_of_a_rerank(server: RecordingServer, provider: str, is_async: bool) -> None:
    meta = {"billed_units": {"search_units": 4}, "tokens": {"input_tokens": 12}}
    results = [{"index": 0, "relevance_score": 0.5}]
    server.responder = lambda request: Response(json={"id": "r", "results": results, "meta": meta})
    found = ask("rerank", provider, is_async, api_base=base(server)).meta
    assert found["billed_units"]["search_units"] == 4
    assert found["tokens"]["input_tokens"] == 12


TURNS = [
    {"role": "system", "content": "be brief"},
    {"role": "user", "content": "hello"},
    {"role": "developer", "content": "in English"},
    {"role": "user", "content": "again"},
]


@since("1.109")
@each_way
@each_provider
def test_instructions_of_responses_are_folded(server: RecordingServer, provider: str, is_async: bool) -> None:
    """For a model whose template takes one system message, at the start."""
    server.responder = lambda request: Response(json=RESPONSE)
    told = {"model_info": {"supports_mid_conversation_system": False}}
    ask("responses", provider, is_async, api_base=base(server), input=TURNS, instructions="be kind", **told)
    sent = asked(server)
    assert sent["instructions"] == "be kind\n\nbe brief\n\nin English"
    assert [item["role"] for item in sent["input"]] == ["user", "user"]


@since("1.110")
@each_way
@each_provider
def test_instructions_of_a_chat_are_folded(server: RecordingServer, provider: str, is_async: bool) -> None:
    server.responder = lambda request: Response(
        json={**CHUNK, "object": "chat.completion", "choices": [{**STOPPED, "message": MESSAGE}], "usage": USAGE}
    )
    told = {"model_info": {"supports_mid_conversation_system": False}}
    ask("completion", provider, is_async, api_base=base(server), messages=TURNS, **told)
    assert [item["role"] for item in asked(server)["messages"]][1:].count("system") == 0


def counted(logger: RecordingLogger, counts: tuple[int, int]) -> None:
    """Returns when a call of so many tokens is logged; an earlier test's calls may be logged before."""

    def is_logged() -> bool:
        logs = [each["standard_logging_object"] for each in logger.heard]
        return counts in [(log["prompt_tokens"], log["completion_tokens"]) for log in logs]

    eventually(is_logged, PATIENCE)


PASSED = {
    "v1/chat/completions": ("chat.completion", {"message": MESSAGE}, {"messages": CHAT}),
    "v1/completions": ("text_completion", {"text": "hi"}, {"prompt": "a"}),
}


@since("1.108")
@each_way
@each_provider
@pytest.mark.parametrize("route", PASSED)
def test_usage_of_a_pass_through(
    server: RecordingServer, monkeypatch: pytest.MonkeyPatch, route: str, provider: str, is_async: bool
) -> None:
    kind, choice, body = PASSED[route]
    server.responder = lambda request: Response(
        json={**CHUNK, "object": kind, "choices": [{**STOPPED, **choice}], "usage": USAGE}
    )
    logger = RecordingLogger()
    monkeypatch.setattr(litellm, "callbacks", [logger])
    call = {**KINDS["pass-through"].arguments, "endpoint": route, "json": {"model": "m", **body}}
    call |= {"model": f"{provider}/m", "api_base": server.url, "api_key": KEY}

    async def awaited() -> None:
        await litellm.allm_passthrough_route(**call)
        # The loop that the call was made in logs it.
        await asyncio.to_thread(counted, logger, (3, 2))

    if is_async:
        asyncio.run(awaited())
    else:
        litellm.llm_passthrough_route(**call)
        counted(logger, (3, 2))
