"""What the proxy writes down: cost, tokens and latency of every call, once; never a key, and no prompt at INFO."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from proxy.backend import INPUT_COST, OUTPUT_COST, SECOND_COST, SERVER_KEY, USAGE, paused
from proxy.faults import recorded as told_so_far
from proxy.gateway import Gateway, config_of, deployment

from support.recording import RecordingServer, Response
from support.waiting import eventually

PAUSE = 0.3
PROMPT = "tell nobody about the marzipan"
COST = USAGE["prompt_tokens"] * INPUT_COST + USAGE["completion_tokens"] * OUTPUT_COST

plain_or_streamed = pytest.mark.parametrize("stream", [False, True])


def call(gateway: Gateway, model: str, **more: Any) -> str:
    """One chat call; returns its id in the logs."""
    body = {"model": model, "messages": [{"role": "user", "content": PROMPT}], **more}
    with gateway.client() as client:
        answer = client.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    return answer.headers["x-litellm-call-id"]


def recorded(gateway: Gateway, call_id: str) -> list[dict[str, Any]]:
    """What the custom logger was told of a call, once it was told anything and nothing more came for a second."""

    def told() -> list[dict[str, Any]]:
        return [event for event in told_so_far(gateway) if (event["payload"] or {}).get("litellm_call_id") == call_id]

    eventually(told, 15)
    time.sleep(1)
    return told()


@plain_or_streamed
def test_a_custom_logger_sees_tokens_latency_and_cost_once(
    gateway: Gateway, server: RecordingServer, stream: bool
) -> None:
    [event] = recorded(gateway, call(gateway, "lexiq-nova-chat", stream=stream))

    payload = event["payload"]
    assert event["event"] == "success"
    assert (payload["custom_llm_provider"], payload["model_group"]) == ("remodlai", "lexiq-nova-chat")
    assert {name: payload[name] for name in USAGE} == USAGE
    assert payload["response_cost"] == pytest.approx(COST)
    assert 0 < payload["response_time"] < 60


@plain_or_streamed
def test_cost_by_the_second(gateway: Gateway, server: RecordingServer, stream: bool) -> None:
    server.responder = paused(server.responder, PAUSE)
    began = time.monotonic()
    call_id = call(gateway, "lexiq-nova-by-the-second", stream=stream)
    took = time.monotonic() - began

    [event] = recorded(gateway, call_id)
    assert PAUSE * SECOND_COST <= event["payload"]["response_cost"] <= took * SECOND_COST


def test_a_failure_is_recorded_with_the_provider(gateway: Gateway, server: RecordingServer) -> None:
    refused = Response(400, json={"error": {"message": "too many tokens", "type": "BadRequestError", "code": 400}})
    server.responder = lambda request: refused
    with gateway.client() as client:
        answer = client.post("/v1/chat/completions", json={"model": "lexiq-nova-chat", "messages": []})

    assert answer.status_code == 400 and "too many tokens" in answer.json()["error"]["message"]
    events = recorded(gateway, answer.headers["x-litellm-call-id"])
    assert {event["event"] for event in events} == {"failure"}
    information = events[0]["payload"]["error_information"]
    assert (information["llm_provider"], information["error_code"]) == ("remodlai", "400")


def metrics(gateway: Gateway, model_group: str) -> dict[str, float]:
    """The samples of the proxy's `/metrics` that are of one model group, summed over their other labels."""
    totals: dict[str, float] = {}
    with gateway.client(follow_redirects=True) as client:
        text = client.get("/metrics").raise_for_status().text
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if model_group in sample.labels.values():
                totals[sample.name] = totals.get(sample.name, 0.0) + sample.value
    return totals


@plain_or_streamed
def test_prometheus_counts_a_call_once(gateway: Gateway, server: RecordingServer, stream: bool) -> None:
    before = metrics(gateway, "lexiq-nova-chat")
    recorded(gateway, call(gateway, "lexiq-nova-chat", stream=stream))
    after = metrics(gateway, "lexiq-nova-chat")

    def grown(name: str) -> float:
        return after.get(name, 0.0) - before.get(name, 0.0)

    assert grown("litellm_input_tokens_metric_total") == USAGE["prompt_tokens"]
    assert grown("litellm_output_tokens_metric_total") == USAGE["completion_tokens"]
    assert grown("litellm_total_tokens_metric_total") == USAGE["total_tokens"]
    assert grown("litellm_spend_metric_total") == pytest.approx(COST)
    assert grown("litellm_request_total_latency_metric_count") == 1
    assert grown("litellm_request_total_latency_metric_sum") > 0
    assert grown("litellm_deployment_success_responses_total") == 1


def test_prometheus_knows_the_provider(gateway: Gateway, server: RecordingServer) -> None:
    recorded(gateway, call(gateway, "lexiq-nova-chat"))
    with gateway.client(follow_redirects=True) as client:
        text = client.get("/metrics").text

    successes = [line for line in text.splitlines() if line.startswith("litellm_deployment_success_responses_total{")]
    assert any('api_provider="remodlai"' in line and 'litellm_model_name="nova"' in line for line in successes)


def exercise(gateway: Gateway, server: RecordingServer) -> None:
    """Calls of every kind, good and bad, with the prompt in all of them."""
    messages = [{"role": "user", "content": PROMPT}]
    calls: list[tuple[str, dict[str, Any]]] = [
        ("/v1/messages", {"model": "lexiq-nova-chat", "messages": messages, "max_tokens": 9}),
        ("/v1/responses", {"model": "lexiq-nova-chat", "input": PROMPT}),
        ("/remodlai/tokenize", {"model": "lexiq-nova-chat", "prompt": PROMPT}),
        ("/remodlai/tokenize", {"model": "served", "prompt": PROMPT}),
        ("/lexiq_nova/v1/completions", {"model": "served", "prompt": PROMPT}),
        *(
            ("/v1/chat/completions", {"model": model, "messages": messages, "stream": stream})
            for model in ("lexiq-nova-chat", "lexiq-nova-local")
            for stream in (False, True)
        ),
    ]
    usual = server.responder
    with gateway.client() as client:
        for path, body in calls:
            assert client.post(path, json=body).is_success
        for status in (400, 401, 404, 500):
            failed = Response(status, json={"error": {"message": "refused", "code": status}})
            server.responder = lambda request, failed=failed: failed
            # At once: an error that may pass is tried again after a pause.
            with ThreadPoolExecutor(len(calls)) as threads:
                list(threads.map(lambda call: client.post(call[0], json=call[1]), calls))
        server.responder = usual
        assert client.get("/model/info").is_success
        assert client.get("/health").is_success
        client.get("/health", headers={"Authorization": "Bearer sk-somebody-elses-secret"})


def leaks(gateway: Gateway, *secrets: str) -> list[str]:
    """The lines of the proxy's log that hold one of the secrets."""
    return [line for line in gateway.text().splitlines() if any(secret in line for secret in secrets)]


def test_info_logs_hold_no_key_and_no_prompt(gateway: Gateway, server: RecordingServer) -> None:
    exercise(gateway, server)

    assert "INFO" in gateway.text() and "refused" in gateway.text()
    assert leaks(gateway, SERVER_KEY, gateway.key, "marzipan", "sk-somebody-elses-secret") == []


def test_debug_logs_hold_no_key(new_gateway: Callable[..., Gateway], server: RecordingServer) -> None:
    key = {"api_key": "os.environ/NOVA_KEY"}
    models = [
        deployment("lexiq-nova-chat", "remodlai/nova", server.url, **key),
        deployment("lexiq-nova-local", "lexiq_nova/org/nova", server.url, **key),
    ]
    environment = {
        "NOVA_KEY": SERVER_KEY,
        "REMODLAI_API_BASE": server.url,
        "REMODLAI_API_KEY": SERVER_KEY,
        "LEXIQ_NOVA_API_BASE": server.url,
        "LEXIQ_NOVA_API_KEY": SERVER_KEY,
    }
    config = config_of(models, router_settings={"disable_cooldowns": True})
    gateway = new_gateway(config, environment, ("--detailed_debug",))
    exercise(gateway, server)

    assert "DEBUG" in gateway.text()
    assert leaks(gateway, SERVER_KEY, gateway.key, "sk-somebody-elses-secret") == []
