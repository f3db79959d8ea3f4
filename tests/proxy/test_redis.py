"""Several proxy processes behind a load balancer share their state in Redis: cooldowns and rate limits hold in all."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from proxy.backend import SERVER_KEY, serving
from proxy.gateway import Gateway, config_of, deployment
from proxy.redis_server import RedisServer

from support.recording import RecordingServer, Response

MASTER_KEY = "sk-shared-by-both-proxies"
KEY = {"api_key": "os.environ/NOVA_KEY"}
COOLDOWN = 600.0
LIMIT = 4
"""Requests per minute that the limited deployment takes, from all proxies together."""
ASKED_AGAIN = 2.0
"""How long a proxy leaves a Redis alone that failed several times; by default a minute."""
FROM_REDIS = {f"redis_{name}": f"os.environ/REDIS_{name.upper()}" for name in ("host", "port", "password")}


@pytest.fixture
def failing() -> Iterator[RecordingServer]:
    broken = Response(500, json={"error": {"message": "EngineCore encountered an issue", "code": 500}})
    with RecordingServer(lambda request: broken) as server:
        yield server


@pytest.fixture
def healthy() -> Iterator[RecordingServer]:
    with RecordingServer(serving(SERVER_KEY)) as server:
        yield server


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path) as server:
        yield server


@pytest.fixture
def pair(
    new_gateway: Callable[..., Gateway], redis_server: RedisServer, failing: RecordingServer, healthy: RecordingServer
) -> list[Gateway]:
    """Two proxies with one configuration and one Redis: `nova` has a replica that fails, `limited` a rate limit."""
    models = [
        deployment("nova", "remodlai/nova", failing.url, **KEY),
        deployment("nova", "lexiq_nova/nova", healthy.url, **KEY),
        *(deployment(name, f"remodlai/{name}", healthy.url, rpm=LIMIT, **KEY) for name in ("limited", "limited-later")),
    ]
    router = {
        **FROM_REDIS,
        "num_retries": 2,
        "allowed_fails": 0,
        "cooldown_time": COOLDOWN,
        "optional_pre_call_checks": ["enforce_model_rate_limits"],
    }
    config = config_of(models, general_settings={"master_key": MASTER_KEY}, router_settings=router)
    breaker = {"REDIS_CIRCUIT_BREAKER_RECOVERY_TIMEOUT": str(int(ASKED_AGAIN))}
    environment = {"NOVA_KEY": SERVER_KEY, **breaker, **redis_server.environment}
    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(lambda _: new_gateway(config, environment), range(2)))


def ask(gateway: Gateway, model: str, **headers: str) -> httpx.Response:
    body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    with gateway.client() as client:
        return client.post("/v1/chat/completions", json=body, headers=headers)


def test_two_proxies_share_cooldowns_and_rate_limits_and_outlive_redis(
    pair: list[Gateway], failing: RecordingServer, healthy: RecordingServer, redis_server: RedisServer
) -> None:
    one, two = pair

    # A replica that the first proxy found failing is not tried by the second.
    deadline = time.monotonic() + 30
    while not any("cooldown" in key for key in redis_server.client().keys()):  # noqa: SIM118
        assert time.monotonic() < deadline, "the first proxy has told Redis of no cooldown"
        assert ask(one, "nova").is_success
    assert failing.requests
    failing.take()
    assert all(ask(two, "nova").is_success for _ in range(15))
    assert failing.take() == []

    # The limit holds for both together.
    share_a_limit(pair, healthy, "limited")

    # Redis is lost: all calls are answered, without the replica that each proxy knows to fail.
    redis_server.kill()
    assert all(ask(gateway, "nova").is_success for _ in range(5) for gateway in pair)

    # It comes back, empty: both use it again.
    redis_server.start()
    time.sleep(ASKED_AGAIN + 0.5)
    assert all(ask(gateway, "nova").is_success for gateway in pair)
    share_a_limit(pair, healthy, "limited-later")


def share_a_limit(pair: list[Gateway], healthy: RecordingServer, model: str) -> None:
    seconds_left = 60 - time.time() % 60
    if seconds_left < 8:
        time.sleep(seconds_left)  # the limit is counted by the minute of the clock
    healthy.take()
    statuses = [ask(gateway, model).status_code for _ in range(LIMIT) for gateway in pair]
    assert sorted(statuses) == [200] * LIMIT + [429] * LIMIT
    assert len(healthy.take()) == LIMIT
