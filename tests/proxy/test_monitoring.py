"""The dashboard and the autoscaler of docs/deploy ask for metrics that a real proxy exports."""

import time
from pathlib import Path

import yaml
from proxy.gateway import Gateway

from support.dashboard import expressions, missing
from support.recording import RecordingServer

AUTOSCALER = Path(__file__).resolve().parents[2] / "docs" / "deploy" / "kubernetes" / "autoscaling.yaml"
MESSAGES = [{"role": "user", "content": "Hello"}]
LOGGED_SECONDS = 30.0


def page(gateway: Gateway) -> str:
    with gateway.client() as client:
        return client.get("/metrics/").raise_for_status().text


def test_the_dashboard(gateway: Gateway, server: RecordingServer) -> None:
    assert len(expressions("litellm_")) >= 9
    with gateway.client() as client:
        for body in ({"stream": True}, {}):
            call = {"model": "lexiq-nova-chat", "messages": MESSAGES, **body}
            client.post("/v1/chat/completions", json=call).raise_for_status()
        assert client.post("/v1/chat/completions", json={"model": "none", "messages": MESSAGES}).is_client_error
    deadline = time.monotonic() + LOGGED_SECONDS
    while missing(page(gateway), "litellm_") and time.monotonic() < deadline:
        time.sleep(0.2)  # counted after the answer
    assert not missing(page(gateway), "litellm_")


def test_the_autoscaler(gateway: Gateway) -> None:
    [metric] = yaml.safe_load(AUTOSCALER.read_text())["spec"]["metrics"]
    assert f"\n{metric['pods']['metric']['name']} " in page(gateway)
