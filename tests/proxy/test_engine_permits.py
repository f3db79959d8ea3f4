"""
A proxy's clients reach the engines of its deployments and no other, whatever they send: nothing is started for them.
The engines are started with a stand-in for vLLM.
"""

import json
import os
import runpy
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from proxy.gateway import Gateway, config_of

from litellm.llms.remodlai.__main__ import main as command
from litellm.llms.remodlai.engine.engine import engines, running_engines
from litellm.llms.remodlai.engine.runtime import ask, wait
from support.recording import RecordingServer, Response

STAND_IN = Path(__file__).parents[1] / "test_litellm/llms/remodlai/completion/fake_vllm.py"
CHAT = [{"role": "user", "content": "Hello"}]
ARGS = {"seed": 7}


@pytest.fixture(scope="module")
def machine() -> Iterator[dict[str, str]]:
    """The environment of a machine whose vLLM is the stand-in; its engines end with the tests."""
    with tempfile.TemporaryDirectory(prefix="lxn", dir="/tmp") as name, pytest.MonkeyPatch.context() as patch:
        runpy.run_path(str(STAND_IN))["install"](Path(name, "site"))
        patch.setenv("XDG_RUNTIME_DIR", name)
        paths = os.pathsep.join([str(Path(name, "site")), *filter(None, [os.environ.get("PYTHONPATH")])])
        yield {
            "XDG_RUNTIME_DIR": name,
            "PYTHONPATH": paths,
            "LEXIQ_NOVA_PYTHON": sys.executable,
            "LEXIQ_NOVA_MAX_ENGINES": "4",
            "HF_HUB_OFFLINE": "0",
            "LEXIQ_NOVA_PROGRESS_CHUNKS": "1",
        }
        command(["stop"])


@pytest.fixture(scope="module")
def server() -> Iterator[RecordingServer]:
    with RecordingServer(lambda request: Response(status=400, json={"error": {"message": "served"}})) as server:
        yield server


@pytest.fixture(scope="module")
def client(
    machine: dict[str, str], server: RecordingServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """Of a proxy with a deployment on its machine, one with a server, and another provider's, all open to clients."""
    own: dict[str, dict[str, Any]] = {
        "own": {"model": "lexiq_nova/org/own", "engine_args": ARGS},
        "hosted": {"model": "remodlai/org/hosted", "api_base": server.url},
        "gpt": {"model": "openai/gpt-4o", "api_base": server.url, "api_key": "sk-theirs"},
    }
    models = [{"model_name": name, "litellm_params": params} for name, params in own.items()]
    config = config_of(
        models,
        # What an operator may have allowed: the engines are not part of it.
        general_settings={"allow_client_side_credentials": True},
        router_settings={"disable_cooldowns": True, "num_retries": 0},
    )
    with (
        Gateway(tmp_path_factory.mktemp("permits"), config, machine) as gateway,
        gateway.client(timeout=60) as client,
    ):
        yield client


def started() -> set[str]:
    """What has been started on this machine, running or not."""
    return {f"{engine.model} {' '.join(engine.tokens)}" for engine in engines()}


BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": CHAT},
    "/v1/completions": {"prompt": "Hello"},
    "/v1/embeddings": {"input": ["Hello"]},
    "/v1/responses": {"input": "Hello"},
    "/v1/messages": {"messages": CHAT, "max_tokens": 9},
    "/v1/rerank": {"query": "q", "documents": ["a"]},
    "/v1/images/generations": {"prompt": "a cat"},
    "/v1/audio/speech": {"input": "Hello", "voice": "alloy"},
}
EVIL = "somebody/repo"
ATTACKS: dict[str, dict[str, Any]] = {
    "unknown model": {"model": f"lexiq_nova/{EVIL}"},
    "unknown hosted model": {"model": f"remodlai/{EVIL}"},
    "provider": {"model": "gpt", "custom_llm_provider": "lexiq_nova", "api_base": ""},
    "hosted provider": {"model": "gpt", "custom_llm_provider": "remodlai", "api_base": None, "base_url": ""},
    "no base": {"model": "hosted", "api_base": ""},
    "null base": {"model": "hosted", "api_base": None, "base_url": None},
    "local base": {"model": "hosted", "api_base": "lexiq-nova://local/v1"},
    "options": {"model": "own", "engine_args": {"trust_remote_code": True}},
    "variables": {"model": "own", "engine_args": {**ARGS, "env": {"LD_PRELOAD": "/tmp/evil.so"}}},
    "how long it stays": {"model": "own", "engine_args": {**ARGS, "keep_alive": -1, "priority": 9}},
    "options as text": {"model": "own", "engine_args": "--trust-remote-code"},
    "fallback": {"model": "no-such", "fallbacks": [{"model": f"lexiq_nova/{EVIL}"}]},
    "nested": {
        "model": "gpt",
        "api_base": "",
        "extra_body": {
            "model": EVIL,
            "engine_args": {"env": {"LD_PRELOAD": "/tmp/evil.so"}},
            "custom_llm_provider": "lexiq_nova",
        },
        "litellm_params": {"model": f"lexiq_nova/{EVIL}"},
        "metadata": {"engine_args": "--trust-remote-code"},
        "custom_llm_provider": "lexiq_nova",
    },
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_body_starts_nothing(client: httpx.Client, attack: str) -> None:
    for path, body in BODIES.items():
        answer = client.post(path, json={**body, **ATTACKS[attack]})
        assert answer.is_error, (path, answer.status_code, answer.text)
    assert started() <= {"org/own --seed 7"}


@pytest.mark.parametrize("provider", ["lexiq_nova", "remodlai"])
def test_pass_through_starts_nothing(client: httpx.Client, provider: str) -> None:
    command(["stop"])
    for path in ("v1/chat/completions", "tokenize", "v1/embeddings", "rerank", "v1/responses"):
        for model in (EVIL, f"lexiq_nova/{EVIL}", "/etc", "org/hosted"):
            answer = client.post(f"/{provider}/{path}", json={"model": model, "prompt": "Hello"})
            assert answer.status_code == 404 and "no deployment" in answer.text, answer.text
        form = client.post(f"/{provider}/{path}", data={"model": EVIL}, files={"file": b"RIFF"})
        assert form.status_code == 400, form.text
        disguised = client.post(f"/{provider}/{path}", content=f'{{"model": "{EVIL}"}}')
        assert disguised.is_client_error, disguised.text
    nothing = client.get(f"/{provider}/v1/models")
    assert nothing.status_code == 400 and "not exactly one engine is running (none)" in nothing.text
    assert started() <= {"org/own --seed 7"}


def test_a_health_check_of_another_model_starts_nothing(client: httpx.Client) -> None:
    client.post("/health/test_connection", json={"litellm_params": {"model": f"lexiq_nova/{EVIL}"}, "mode": "chat"})
    assert started() <= {"org/own --seed 7"}


def test_the_health_of_the_proxy_starts_nothing(client: httpx.Client) -> None:
    command(["stop"])
    report = client.get("/health", params={"model": "own"}).raise_for_status().json()
    assert report["healthy_count"] == 1, report
    own = {"litellm_params": {"model": "lexiq_nova/org/own", "engine_args": ARGS}, "mode": "chat"}
    client.post("/health/test_connection", json=own)
    assert running_engines() == []


def test_the_deployment_answers_by_both_of_its_names(client: httpx.Client) -> None:
    def engine_of(path: str, body: dict[str, Any]) -> tuple[int, str]:
        answer = client.post(path, json=body).raise_for_status().json()
        return answer["pid"], answer["argv"][answer["argv"].index("--model") + 1]

    by_router = engine_of("/lexiq_nova/tokenize", {"model": "own", "prompt": "Hello"})
    by_model = engine_of("/remodlai/tokenize", {"model": "org/own", "prompt": "Hello"})
    assert by_router == by_model and by_router[1] == "org/own"
    assert started() == {"org/own --seed 7"}
    assert client.post("/lexiq_nova/v1/anything").json()["pid"] == by_router[0]
    client.post("/v1/responses", json={"model": "own", "input": "Hello", "extra_body": {"model": EVIL}})
    assert started() == {"org/own --seed 7"}


def test_a_client_has_no_say_in_how_long_an_engine_stays(client: httpx.Client) -> None:
    wishes = {"x-lexiq-nova-wishes": '{"keep_alive": -1, "priority": 9}'}
    own = {"keep_alive": -1, "priority": 9, "env": {"LD_PRELOAD": "/tmp/evil.so"}}
    body = {"model": "own", "messages": CHAT, "extra_headers": wishes, "extra_body": own, **own}
    for path in ("/lexiq_nova/v1/chat/completions", "/v1/chat/completions", "/lexiq_nova/tokenize"):
        client.post(path, json=body, headers=wishes)
    (engine,) = running_engines()
    now = wait(ask(engine.folder, "status")) or {}
    assert (now["keep_alive"], now["priority"]) == (900, 0)
    assert "LD_PRELOAD" not in dict(engine.environment)


def test_a_stream_tells_how_far_the_start_is(client: httpx.Client) -> None:
    command(["stop"])
    body = {"model": "own", "messages": CHAT, "stream": True}
    with client.stream("POST", "/v1/chat/completions", json=body) as answer:
        chunks = [json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: {")]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    told = [delta["reasoning_content"] for delta in deltas if delta.get("reasoning_content")]
    assert told[0] == "lexiq_nova/org/own: starting vLLM (0 s)\n" and ": ready after " in told[-1]
    assert "".join(delta.get("content") or "" for delta in deltas) == "user: Hello "


def test_without_a_configuration_nothing_starts(machine: dict[str, str], new_gateway: Callable[..., Gateway]) -> None:
    gateway = new_gateway({"general_settings": {}}, machine)
    with gateway.client() as client:
        for path, body in BODIES.items():
            answer = client.post(path, json={**body, "model": f"lexiq_nova/{EVIL}"})
            assert answer.is_client_error, (path, answer.text)
        assert client.post("/lexiq_nova/tokenize", json={"model": EVIL}).status_code == 404
    assert started() <= {"org/own --seed 7"}
