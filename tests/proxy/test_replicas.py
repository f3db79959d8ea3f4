"""Two replicas of one model behind the proxy: when one fails or is killed, the other one answers."""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from proxy.backend import SERVER_KEY, TEXT, Replica, serving
from proxy.gateway import Gateway, config_of, deployment, events

from support.recording import CUT, RecordingServer, Request, Response

MESSAGES = [{"role": "user", "content": "What is the capital of France?"}]
KEY = {"api_key": "os.environ/NOVA_KEY"}
CALLERS = 4
"""Of each sort, plain and streamed."""
CALLS = 30
"""That are answered before a replica is killed, and that begin and end after."""
PAUSE = 0.05
COOLDOWN = 5.0

every_provider = pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])


@dataclass
class Call:
    """One call under load: when it began, its status, and the text or the events that came."""

    began: float
    status: int
    text: str | None = None
    events: list[Any] | None = None

    @property
    def failed(self) -> bool:
        if self.events is None:
            return self.status != 200 or self.text != TEXT
        words = [event["choices"][0]["delta"].get("content") or "" for event in self.events if is_chunk(event)]
        return self.status != 200 or "".join(words) != TEXT or self.events[-1] != "[DONE]"

    @property
    def told(self) -> bool:
        """Whether a stream that failed says so: an error event, after chunks."""
        return self.events is not None and any(isinstance(event, dict) and "error" in event for event in self.events)


def is_chunk(event: Any) -> bool:
    return isinstance(event, dict) and bool(event.get("choices"))


async def plain(client: httpx.AsyncClient, model: str) -> Call:
    began = time.monotonic()
    answer = await client.post("/v1/chat/completions", json={"model": model, "messages": MESSAGES})
    text = answer.json()["choices"][0]["message"]["content"] if answer.is_success else answer.text
    return Call(began, answer.status_code, text=text)


async def streaming(client: httpx.AsyncClient, model: str) -> Call:
    began = time.monotonic()
    body = {"model": model, "messages": MESSAGES, "stream": True}
    async with client.stream("POST", "/v1/chat/completions", json=body) as answer:
        lines = [line async for line in answer.aiter_lines()]
    return Call(began, answer.status_code, events=events(lines))


async def load(gateway: Gateway, model: str, kill: Callable[[], None]) -> tuple[list[Call], float]:
    """Calls without a break, `kill` in the middle of them; returns all of them and when `kill` was called."""
    calls: list[Call] = []
    began = killed = time.monotonic()

    async with gateway.async_client() as client:

        async def caller(call: Callable[[httpx.AsyncClient, str], Any]) -> None:
            while True:
                calls.append(await call(client, model))

        async def made(since: float) -> None:
            while sum(call.began > since for call in calls) < CALLS:
                await asyncio.sleep(0.1)
                for task in callers:
                    assert not task.done(), task.exception()

        callers = [asyncio.create_task(caller(call)) for call in (plain, streaming) for _ in range(CALLERS)]
        await made(since=began)
        kill()
        killed = time.monotonic()
        await made(since=killed)
        for task in callers:
            task.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
    return calls, killed


@pytest.fixture
def replicas() -> Iterator[list[Replica]]:
    """Two replicas and a spare."""
    started = [Replica(SERVER_KEY, PAUSE) for _ in range(3)]
    yield started
    for replica in started:
        replica.kill()


@every_provider
async def test_a_replica_killed_under_load(
    new_gateway: Callable[..., Gateway], replicas: list[Replica], provider: str
) -> None:
    first, second, spare = replicas
    models = [deployment("nova", f"{provider}/nova", replica.url, **KEY) for replica in (first, second)]
    models.append(deployment("spare", f"{provider}/nova", spare.url, **KEY))
    router = {"num_retries": 3, "allowed_fails": 0, "cooldown_time": 60, "fallbacks": [{"nova": ["spare"]}]}
    gateway = new_gateway(config_of(models, router_settings=router), {"NOVA_KEY": SERVER_KEY})

    calls, killed = await load(gateway, "nova", first.kill)

    failed = [call for call in calls if call.failed]
    assert [call for call in failed if not call.told] == [], "a call failed, or a stream was cut without a word"
    assert [call for call in failed if call.began > killed] == [], "a call failed although the other replica was up"

    # The fallback, once the second replica is gone too.
    calls, killed = await load(gateway, "nova", second.kill)
    failed = [call for call in calls if call.failed]
    assert [call for call in failed if not call.told] == []
    assert [call for call in failed if call.began > killed] == []


def ask(gateway: Gateway, model: str = "nova", **more: Any) -> httpx.Response:
    with gateway.client() as client:
        return client.post("/v1/chat/completions", json={"model": model, "messages": MESSAGES, **more})


@every_provider
def test_a_failing_replica_cools_down_and_comes_back(new_gateway: Callable[..., Gateway], provider: str) -> None:
    broken = Response(500, json={"error": {"message": "EngineCore encountered an issue", "code": 500}})
    with RecordingServer(lambda request: broken) as failing, RecordingServer(serving(SERVER_KEY)) as healthy:
        models = [deployment("nova", f"{provider}/nova", server.url, **KEY) for server in (failing, healthy)]
        router = {"num_retries": 2, "allowed_fails": 0, "cooldown_time": COOLDOWN}
        gateway = new_gateway(config_of(models, router_settings=router), {"NOVA_KEY": SERVER_KEY})

        assert all(ask(gateway).is_success for _ in range(20))
        assert 0 < len(failing.take()) <= 3, "while it cools down it is left alone"

        time.sleep(COOLDOWN)
        failing.responder = serving(SERVER_KEY)
        assert all(ask(gateway).is_success for _ in range(20))
        assert len(failing.take()) > 0, "and then it is asked again"


@pytest.mark.parametrize("model", ["lexiq-nova-chat", "lexiq-nova-local"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
def test_a_stream_that_breaks_off_ends_with_an_error(
    gateway: Gateway, server: RecordingServer, model: str, path: str
) -> None:
    def broken(request: Request) -> Response:
        whole = serving(SERVER_KEY)(request)
        begun = itertools.islice(whole.chunks or (), 5)
        return replace(whole, chunks=[*begun, 0.2, CUT])

    server.responder = broken
    body = {"model": model, "input": "Hello", "messages": MESSAGES, "max_tokens": 9, "stream": True}
    with gateway.client() as client, client.stream("POST", path, json=body) as answer:
        text = "".join(answer.iter_lines())

    assert "error" in text, text
    assert "message_stop" not in text and "response.completed" not in text
