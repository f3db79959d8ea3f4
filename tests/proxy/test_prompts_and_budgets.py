"""Through the proxy: token ids as a prompt, counts of tokens, and the price of a `base_model` in header and budget."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from proxy.backend import SERVER_KEY, USAGE
from proxy.gateway import Gateway, config_of, deployment

import litellm
from support.recording import RecordingServer, Response

BASE_MODEL = "gpt-4o"
PROVIDERS = ("remodlai", "lexiq_nova")
COST_HEADER = "x-litellm-response-cost"
BUDGETED_SECONDS = 15.0


@pytest.mark.parametrize("model", ["lexiq-nova-chat", "lexiq-nova-local"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("prompt", [[1, 2, 3], [[1, 2], [3]], "a", ["a", "b"]], ids=str)
def test_token_ids_as_a_prompt(
    gateway: Gateway, server: RecordingServer, prompt: list[Any] | str, stream: bool, model: str
) -> None:
    with gateway.client() as client:
        answer = client.post("/v1/completions", json={"model": model, "prompt": prompt, "stream": stream})
    assert answer.status_code == 200, answer.text
    (asked,) = server.take()
    assert (asked.path, asked.json()["prompt"]) == ("/v1/completions", prompt)
    assert bool(asked.json().get("stream")) is stream


@pytest.mark.parametrize("model", ["lexiq-nova-chat", "lexiq-nova-local"])
def test_the_server_counts_tokens(
    gateway: Gateway, server: RecordingServer, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "responder", lambda request: Response(json={"count": 4321}))
    body = {"model": model, "messages": [{"role": "user", "content": "a"}]}
    with gateway.client() as client:
        answer = client.post("/utils/token_counter", params={"call_endpoint": True}, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["total_tokens"] == 4321
    (asked,) = server.take()
    assert (asked.path, asked.header("authorization")) == ("/tokenize", f"Bearer {SERVER_KEY}")


@pytest.fixture
def priced(new_gateway: Callable[..., Gateway], server: RecordingServer) -> Iterator[Gateway]:
    """A proxy whose deployments have the prices of another model; a call spends the budget of those that have one."""
    models = [
        deployment(
            f"{provider}-{name}",
            f"{provider}/nova-{name}",
            f"{server.url}/v1",
            api_key=SERVER_KEY,
            model_info={"base_model": BASE_MODEL},
            **budget,
        )
        for provider in PROVIDERS
        for name, budget in (("any", {}), ("spent", {"max_budget": 1e-9, "budget_duration": "1d"}))
    ]
    return new_gateway(config_of(models))


def test_the_price_of_a_base_model(priced: Gateway) -> None:
    listed = litellm.model_cost[BASE_MODEL]
    cost = (
        USAGE["prompt_tokens"] * listed["input_cost_per_token"]
        + USAGE["completion_tokens"] * listed["output_cost_per_token"]
    )
    chat = {"messages": [{"role": "user", "content": "a"}]}
    with priced.client() as client:
        for provider in PROVIDERS:
            for path, body in (("/v1/chat/completions", chat), ("/v1/completions", {"prompt": "a"})):
                answer = client.post(path, json={"model": f"{provider}-any", **body})
                assert float(answer.headers[COST_HEADER]) == pytest.approx(cost), (provider, path)
            # The budget is counted after the answer.
            deadline = time.monotonic() + BUDGETED_SECONDS
            statuses = [200]
            while statuses[-1] == 200 and time.monotonic() < deadline:
                refused = client.post("/v1/chat/completions", json={"model": f"{provider}-spent", **chat})
                statuses.append(refused.status_code)
                time.sleep(0.2)
            assert statuses[1] == 200
            assert statuses[-1] == 429, refused.text
            assert "budget" in refused.text
