"""One recording server, one Router and one real proxy process for all tests; both drop what OpenAI does not know."""

from collections.abc import Iterator
from typing import Any

import pytest
from proxy.gateway import Gateway, deployment
from superset import nova
from superset.ways import KEY, MODEL, Asking

import litellm
from support.recording import RecordingServer

RERANKER = "nova-reranker"
BY_TASK = "nova-by-task"
TASKS = ("retrieval", "text-matching")


def deployments(server: str) -> list[dict[str, Any]]:
    params = {"server": server, "api_key": KEY}
    return [
        deployment(MODEL, f"remodlai/{MODEL}", **params),
        deployment(RERANKER, f"remodlai/{RERANKER}", **params),
        *(deployment(BY_TASK, f"remodlai/{MODEL}-{task}", task=task, **params) for task in TASKS),
    ]


@pytest.fixture(scope="session")
def recording() -> Iterator[RecordingServer]:
    with RecordingServer(nova.answer) as server:
        yield server


@pytest.fixture(scope="session")
def gateway(recording: RecordingServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    config = {"model_list": deployments(recording.url), "litellm_settings": {"drop_params": True}}
    with Gateway(tmp_path_factory.mktemp("proxy"), config) as running:
        yield running


@pytest.fixture(scope="session")
def router(recording: RecordingServer) -> litellm.Router:
    return litellm.Router(deployments(recording.url))


@pytest.fixture
def asking(
    recording: RecordingServer, gateway: Gateway, router: litellm.Router, monkeypatch: pytest.MonkeyPatch
) -> Asking:
    monkeypatch.setattr(litellm, "drop_params", True)
    recording.take()
    return Asking(recording, gateway, router)
