"""Tokens are counted by the server's own tokenizer where one is configured and can, else as upstream counts them."""

import asyncio
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from edges.calls import CHAT, KEY, PROVIDERS, base

import litellm
from litellm.litellm_core_utils import own_token_counts
from litellm.llms.remodlai import token_counter
from support.recording import RecordingServer, Response

TOKENIZER = (
    '{"version": "1.0", "added_tokens": [], "model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}}'
)
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {}}}]


@pytest.fixture(autouse=True)
def nothing_is_remembered() -> None:
    token_counter._SILENT_UNTIL.clear()


def count(provider: str, **call: Any) -> Any:
    return asyncio.run(litellm.acount_tokens(model=f"{provider}/m", messages=CHAT, **call))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_server_counts(server: RecordingServer, provider: str) -> None:
    server.responder = lambda request: Response(json={"count": 4321, "max_model_len": 8192, "tokens": []})
    counted = count(provider, api_base=base(server), api_key=KEY, tools=TOOLS, system="be kind")
    (request,) = server.take()
    assert (counted.total_tokens, counted.tokenizer_type) == (4321, f"{provider}_tokenize")
    assert (request.path, request.header("authorization")) == ("/tokenize", f"Bearer {KEY}")
    chat = [{"role": "system", "content": "be kind"}, *CHAT]
    assert request.json() == {"model": "m", "messages": chat, "tools": TOOLS}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    "answer",
    [Response(404), Response(401, json={}), Response(json={"tokens": []}), Response(body="<html>"), Response(cut=True)],
    ids=["no route", "no key", "no count", "a page", "cut"],
)
def test_a_server_that_cannot_count_is_no_error(server: RecordingServer, provider: str, answer: Response) -> None:
    server.responder = lambda request: answer
    counted = count(provider, api_base=base(server), api_key=KEY)
    assert {request.path for request in server.take()} == {"/tokenize"}
    assert counted.total_tokens == litellm.token_counter(model=f"{provider}/m", messages=CHAT)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_nobody_is_asked_without_a_server(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REMODLAI_API_BASE", "LEXIQ_NOVA_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    assert count(provider).total_tokens == litellm.token_counter(model=f"{provider}/m", messages=CHAT)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_synchronous_counter_asks_too(
    server: RecordingServer, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{provider.upper()}_API_BASE", base(server))
    monkeypatch.setenv(f"{provider.upper()}_API_KEY", KEY)
    server.responder = lambda request: Response(json={"count": 4321})
    name = f"{provider}/m"
    assert litellm.token_counter(name, messages=CHAT, tools=TOOLS) == 4321  # type: ignore[arg-type]
    assert litellm.token_counter(model=name, text=["a ", "b"]) == 4321
    chat, text = server.take()
    assert {request.header("authorization") for request in (chat, text)} == {f"Bearer {KEY}"}
    assert chat.json() == {"model": "m", "messages": CHAT, "tools": TOOLS}
    assert text.json() == {"model": "m", "prompt": "a b", "add_special_tokens": False}


def test_only_who_asks_for_a_count_makes_a_request(server: RecordingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """LiteLLM counts itself after each stream without usage and for each price."""
    monkeypatch.setenv("REMODLAI_API_BASE", base(server))
    name = "remodlai/m"
    litellm.token_counter(model="m", messages=CHAT)
    litellm.token_counter(model="openai/m", messages=CHAT)
    litellm.token_counter(model=name, messages=CHAT, custom_tokenizer=litellm.create_tokenizer(TOKENIZER))
    litellm.utils.token_counter(model=name, messages=CHAT)
    price = {"input_cost_per_token": 1.0, "output_cost_per_token": 1.0}
    litellm.completion_cost(model=name, messages=CHAT, completion="a", custom_cost_per_token=price)  # type: ignore[arg-type]
    monkeypatch.setattr(litellm, "disable_token_counter", True)
    assert litellm.token_counter(model=name, messages=CHAT) == 0
    monkeypatch.setattr(litellm, "disable_token_counter", False)

    async def in_an_event_loop() -> int:
        return litellm.token_counter(model=name, messages=CHAT)

    guessed = litellm.utils.token_counter(model="m", messages=CHAT)
    assert asyncio.run(in_an_event_loop()) == guessed
    monkeypatch.setitem(sys.modules, own_token_counts._PROXY, SimpleNamespace(llm_router=object()))  # type: ignore[arg-type]
    assert litellm.token_counter(model=name, messages=CHAT) == guessed
    assert not server.take()


def test_a_server_that_cannot_count_is_left_alone_for_a_while(
    server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.responder = lambda request: Response(404)
    counts = {count("remodlai", api_base=base(server)).total_tokens for _ in range(3)}
    assert counts == {litellm.token_counter(model="m", messages=CHAT)}
    assert len(server.take()) == 1
    monkeypatch.setattr(token_counter, "_SILENT_UNTIL", {})
    count("remodlai", api_base=base(server))
    assert len(server.take()) == 1


def test_few_servers_are_remembered() -> None:
    for number in range(2 * token_counter.MAX_REMEMBERED):
        with token_counter._no_count_is_no_error("remodlai", f"http://127.0.0.1:{number}/tokenize"):
            raise ValueError
    assert len(token_counter._SILENT_UNTIL) <= token_counter.MAX_REMEMBERED
