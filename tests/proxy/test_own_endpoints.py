"""The proxy's own endpoints know both providers."""

from typing import Any

import httpx
import pytest
from proxy.gateway import Gateway

from support.recording import RecordingServer, Response

PROVIDERS = {"remodlai": "Lexiq Nova", "lexiq_nova": "Lexiq Nova (local)"}
DEPLOYMENTS = {
    "lexiq-nova-chat": "remodlai/nova",
    "lexiq-nova-by-the-second": "remodlai/nova-timed",
    "lexiq-nova-embedding": "remodlai/nova-embedding",
    "lexiq-nova-rerank": "remodlai/nova-rerank",
    "lexiq-nova-whisper": "remodlai/nova-whisper",
    "lexiq-nova-local": "lexiq_nova/org/nova",
}

every_provider = pytest.mark.parametrize("provider", PROVIDERS)


@pytest.fixture
def get(gateway: Gateway, server: RecordingServer) -> Any:
    """Asks the proxy for a path and returns the JSON of a successful answer."""
    with gateway.client(timeout=120) as client:
        yield lambda path: client.get(path).raise_for_status().json()


@every_provider
def test_the_form_that_adds_a_model(get: Any, provider: str) -> None:
    [form] = [form for form in get("/public/providers/fields") if form["litellm_provider"] == provider]

    assert form["provider_display_name"] == PROVIDERS[provider]
    fields = {field["key"]: field for field in form["credential_fields"]}
    assert list(fields) == ["api_base", "api_key"]
    assert fields["api_base"]["field_type"] == "text" and fields["api_key"]["field_type"] == "password"
    assert fields["api_base"]["placeholder"].startswith("http")
    assert all(field["label"] and field["tooltip"] for field in fields.values())
    assert not any(field["required"] for field in fields.values()), "both work without a server of their own"


@every_provider
def test_the_list_of_providers(get: Any, provider: str) -> None:
    assert provider in get("/public/providers")


@every_provider
def test_the_tables_of_endpoints_hold_what_vllm_has_and_what_is_tested_here(get: Any, provider: str) -> None:
    listed = get("/public/endpoints")["endpoints"]

    def supported(slug: str) -> list[str]:
        return [entry["key"] for entry in listed if slug in [each["slug"] for each in entry["providers"]]]

    chat = {"chat_completions", "text_completion", "messages", "responses"}
    here = {*chat, "embeddings", "rerank", "audio_transcriptions"}
    assert {*supported("hosted_vllm"), *here} <= {*supported(provider)}
    assert {each["display_name"] for entry in listed for each in entry["providers"] if each["slug"] == provider} == {
        PROVIDERS[provider]
    }


@every_provider
def test_openapi_describes_the_pass_through(get: Any, provider: str) -> None:
    described = get("/openapi.json")
    assert set(described["paths"][f"/{provider}/{{endpoint}}"]) == {"get", "post", "put", "delete", "patch"}


def test_model_list(get: Any) -> None:
    assert {model["id"] for model in get("/v1/models")["data"]} == set(DEPLOYMENTS)


@pytest.mark.parametrize("path", ["/model/info", "/v1/model/info"])
def test_model_info_names_the_provider_and_hides_the_key(gateway: Gateway, get: Any, path: str) -> None:
    listed = {model["model_name"]: model for model in get(path)["data"]}

    assert {name: model["litellm_params"]["model"] for name, model in listed.items()} == DEPLOYMENTS
    for name, model in listed.items():
        assert model["model_info"]["litellm_provider"] == DEPLOYMENTS[name].split("/")[0]
        assert "api_key" not in model["litellm_params"]


def test_model_group_info(get: Any) -> None:
    groups = {group["model_group"]: group for group in get("/model_group/info")["data"]}
    assert groups["lexiq-nova-chat"]["providers"] == ["remodlai"]
    assert groups["lexiq-nova-local"]["providers"] == ["lexiq_nova"]


def test_health_of_every_deployment(gateway: Gateway, server: RecordingServer, get: Any) -> None:
    report = get("/health")

    assert {endpoint["model"] for endpoint in report["healthy_endpoints"]} == set(DEPLOYMENTS.values())
    assert report["unhealthy_count"] == 0
    paths = {request.path for request in server.take()}
    assert {"/v1/chat/completions", "/v1/embeddings", "/v1/rerank", "/v1/audio/transcriptions"} <= paths


def test_health_of_a_server_that_fails(gateway: Gateway, server: RecordingServer, get: Any) -> None:
    down = Response(500, json={"error": {"message": "EngineCore encountered an issue", "code": 500}})
    usual = server.responder
    server.responder = lambda request: down if request.path == "/v1/rerank" else usual(request)

    report = get("/health")

    [unhealthy] = report["unhealthy_endpoints"]
    assert unhealthy["model"] == "remodlai/nova-rerank"
    assert "EngineCore encountered an issue" in unhealthy["error"]


def test_readiness_needs_no_key(gateway: Gateway) -> None:
    assert httpx.get(f"{gateway.url}/health/readiness").is_success
    assert httpx.get(f"{gateway.url}/health/liveliness").is_success


@every_provider
def test_supported_parameters(gateway: Gateway, provider: str) -> None:
    def supported(model: str) -> Any:
        path = f"{gateway.url}/utils/supported_openai_params"
        return httpx.get(path, params={"model": model}, headers=gateway.headers).raise_for_status().json()

    assert supported(f"{provider}/nova") == supported("hosted_vllm/nova")


def test_the_log_names_each_deployment_s_server(gateway: Gateway, server: RecordingServer) -> None:
    for name, model in DEPLOYMENTS.items():
        assert f"deployment {name} ({model}): {server.url}/v1 (from its api_base)" in gateway.text()
