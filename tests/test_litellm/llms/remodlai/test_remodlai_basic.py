"""
Who remodlai/ and lexiq_nova/ are: names, model forms, which server a call reaches and with which key, errors, cost.
"""

import itertools
import threading
from typing import Any

import httpx
import pytest

import litellm
from litellm.constants import NON_LLM_CONNECTION_TIMEOUT
from litellm.llms.remodlai.bases import server_root, with_api_path
from litellm.llms.remodlai.common_utils import HostedLexiqNova, LexiqNova, own_server
from litellm.llms.remodlai.errors import LexiqNovaError
from litellm.llms.remodlai.places import LOCAL_ENGINE, has_server
from litellm.types.router import LiteLLM_Params
from litellm.types.utils import LlmProviders
from litellm.utils import ProviderConfigManager

MESSAGES = [{"role": "user", "content": "Hello"}]
BASE = "https://nova.example"
KEY = "sk-nova-secret"
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "served",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi"}}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}
PLACEHOLDER = "fake-api-key"


class TestNames:
    @pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])
    def test_provider_is_known_wherever_hosted_vllm_is(self, provider: str) -> None:
        lists = ("provider_list", "openai_compatible_providers", "openai_text_completion_compatible_providers")
        knowing = [name for name in lists if "hosted_vllm" in getattr(litellm, name)]
        assert "provider_list" in knowing
        assert all(provider in getattr(litellm, name) for name in knowing)

    def test_public_names(self) -> None:
        assert issubclass(litellm.HostedLexiqNovaChatConfig, litellm.HostedVLLMChatConfig)
        assert issubclass(litellm.LexiqNovaConfig, litellm.HostedLexiqNovaChatConfig)
        for endpoint in ("EmbeddingConfig", "RerankConfig", "ResponsesAPIConfig"):
            hosted = getattr(litellm, f"HostedLexiqNova{endpoint}")
            assert issubclass(hosted, HostedLexiqNova)
            assert issubclass(getattr(litellm, f"LexiqNova{endpoint}"), hosted)

    def test_create_response_is_responses(self) -> None:
        assert litellm.create_response is litellm.responses
        assert litellm.acreate_response is litellm.aresponses

    @pytest.mark.parametrize(("provider", "identity"), [("remodlai", HostedLexiqNova), ("lexiq_nova", LexiqNova)])
    @pytest.mark.parametrize(
        "get",
        [
            ProviderConfigManager.get_provider_chat_config,
            ProviderConfigManager.get_provider_embedding_config,
            ProviderConfigManager.get_provider_audio_transcription_config,
        ],
    )
    def test_config_of_each_endpoint(self, get: Any, provider: str, identity: type) -> None:
        assert get(model="m", provider=LlmProviders(provider)).provider == identity.provider

    @pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])
    def test_other_configs(self, provider: str) -> None:
        member = LlmProviders(provider)
        rerank = ProviderConfigManager.get_provider_rerank_config(
            model="m", provider=member, api_base=None, present_version_params=[]
        )
        responses = ProviderConfigManager.get_provider_responses_api_config(provider=member, model="m")
        assert (rerank.provider, responses.provider, responses.custom_llm_provider) == (provider, provider, member)

    def test_same_openai_params_as_hosted_vllm(self) -> None:
        params = litellm.get_supported_openai_params("m", "remodlai")
        assert params == litellm.get_supported_openai_params("m", "hosted_vllm")
        assert params == litellm.get_supported_openai_params("m", "lexiq_nova")


class TestModelForms:
    @pytest.mark.parametrize(
        ("model", "given", "name", "provider"),
        [
            ("remodlai/gpt-oss-120b", None, "gpt-oss-120b", "remodlai"),
            ("remodlai/org/name", None, "org/name", "remodlai"),
            ("lexiq_nova/facebook/opt-125m", None, "facebook/opt-125m", "lexiq_nova"),
            ("bare", "remodlai", "bare", "remodlai"),
            ("org/name", "lexiq_nova", "org/name", "lexiq_nova"),
        ],
    )
    def test_server_sees_the_name_after_the_prefix(
        self, wire: Any, model: str, given: str | None, name: str, provider: str
    ) -> None:
        wire.answers(ANSWER)
        assert litellm.get_llm_provider(model, custom_llm_provider=given, api_base=BASE)[:2] == (name, provider)
        litellm.completion(model=model, messages=MESSAGES, api_base=BASE, custom_llm_provider=given)
        assert wire.body()["model"] == name


class TestServer:
    @pytest.mark.parametrize(
        ("given", "used"),
        [
            ("https://host", "https://host/v1"),
            ("https://host/", "https://host/v1"),
            ("http://localhost:8000", "http://localhost:8000/v1"),
            ("https://host/v1", "https://host/v1"),
            ("https://host/v1/", "https://host/v1"),
            ("https://host/openai/v1", "https://host/openai/v1"),
            ("https://host/custom", "https://host/custom"),
        ],
    )
    def test_v1_is_added_to_a_bare_origin_only(self, given: str, used: str) -> None:
        assert with_api_path(given) == used

    def test_server_root_is_where_unversioned_routes_are(self) -> None:
        assert server_root("https://host/v1/") == "https://host"
        assert server_root("https://host/openai/v1") == "https://host/openai"
        assert server_root("https://host/custom") == "https://host/custom"

    @pytest.mark.parametrize(
        ("identity", "argument", "module", "environment", "used"),
        [
            (HostedLexiqNova, "http://a", "http://b", {"REMODLAI_API_BASE": "http://c"}, "http://a/v1"),
            (HostedLexiqNova, None, "http://b", {"REMODLAI_API_BASE": "http://c"}, "http://b/v1"),
            (HostedLexiqNova, None, None, {"REMODLAI_API_BASE": "http://c"}, "http://c/v1"),
            (HostedLexiqNova, None, None, {"LEXIQ_NOVA_API_BASE": "http://d"}, "http://d/v1"),
            (HostedLexiqNova, None, None, {}, LOCAL_ENGINE),
            (LexiqNova, "http://a", None, {"LEXIQ_NOVA_API_BASE": "http://d"}, "http://a/v1"),
            (LexiqNova, None, None, {"LEXIQ_NOVA_API_BASE": "http://d"}, "http://d/v1"),
            (LexiqNova, None, "http://b", {"REMODLAI_API_BASE": "http://c"}, LOCAL_ENGINE),
        ],
    )
    def test_base_resolution_order(
        self,
        monkeypatch: pytest.MonkeyPatch,
        identity: type[HostedLexiqNova],
        argument: str | None,
        module: str | None,
        environment: dict[str, str],
        used: str,
    ) -> None:
        monkeypatch.setattr(litellm, "api_base", module)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert identity.resolve(argument)[0] == used

    def test_key_resolution_order(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert HostedLexiqNova.resolve(BASE)[1] == PLACEHOLDER
        monkeypatch.setenv("REMODLAI_API_KEY", "from-environment")
        assert HostedLexiqNova.resolve(BASE)[1] == "from-environment"
        monkeypatch.setattr(litellm, "remodlai_key", "from-module")
        assert HostedLexiqNova.resolve(BASE)[1] == "from-module"
        assert HostedLexiqNova.resolve(BASE, "from-call")[1] == "from-call"

    def test_a_key_goes_to_its_own_server_only(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("REMODLAI_API_KEY", KEY)
        monkeypatch.setattr(litellm, "remodlai_key", KEY)
        monkeypatch.setenv("LEXIQ_NOVA_API_BASE", "http://localhost:8000")
        assert HostedLexiqNova.resolve() == ("http://localhost:8000/v1", PLACEHOLDER)
        assert LexiqNova.resolve() == ("http://localhost:8000/v1", PLACEHOLDER)
        monkeypatch.setenv("LEXIQ_NOVA_API_KEY", "local")
        assert HostedLexiqNova.resolve() == ("http://localhost:8000/v1", "local")

    def test_environment_is_enough(self, wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        wire.answers(ANSWER)
        monkeypatch.setenv("REMODLAI_API_BASE", BASE)
        monkeypatch.setenv("REMODLAI_API_KEY", KEY)
        response = litellm.completion(model="remodlai/m", messages=MESSAGES)
        assert response.choices[0].message.content == "Hi"
        assert str(wire.last.url) == f"{BASE}/v1/chat/completions"
        assert wire.last.headers["authorization"] == f"Bearer {KEY}"

    @pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])
    def test_no_server_and_no_vllm_is_an_error_that_names_the_way_out(
        self, wire: Any, without_vllm: None, provider: str
    ) -> None:
        with pytest.raises(litellm.BadRequestError, match="no server is configured.*api_base=.*_API_BASE"):
            litellm.completion(model=f"{provider}/m", messages=MESSAGES)
        assert wire.requests == []

    @pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])
    def test_a_server_is_configured_where_a_call_without_a_base_reaches_one(
        self, provider: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for everywhere, hosted, local in itertools.product(("", BASE, LOCAL_ENGINE), repeat=3):
            monkeypatch.setattr(litellm, "api_base", everywhere)
            monkeypatch.setenv("REMODLAI_API_BASE", hosted)
            monkeypatch.setenv("LEXIQ_NOVA_API_BASE", local)
            reached = own_server(provider, None, None)[0]
            assert has_server(provider) == (reached != LOCAL_ENGINE), (everywhere, hosted, local)


ERRORS = [
    (400, "bad parameter", litellm.BadRequestError),
    (400, "This model's maximum context length is 2048 tokens.", litellm.ContextWindowExceededError),
    (401, "Unauthorized", litellm.AuthenticationError),
    (403, "not yours", litellm.APIError),
    (404, "The model `m` does not exist.", litellm.NotFoundError),
    (408, "too late", litellm.Timeout),
    (429, "slow down", litellm.RateLimitError),
    (500, "broken", litellm.InternalServerError),
    (503, "down", litellm.ServiceUnavailableError),
]


class TestErrors:
    @pytest.mark.parametrize(("status", "message", "expected"), ERRORS)
    @pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])
    def test_error_classes(
        self, wire: Any, provider: str, status: int, message: str, expected: type[Exception]
    ) -> None:
        wire.answers({"error": {"message": message, "type": "x", "code": status}}, status)
        with pytest.raises(expected) as caught:
            litellm.completion(model=f"{provider}/m", messages=MESSAGES, api_base=BASE, api_key=KEY, max_retries=0)
        error: Any = caught.value
        assert error.llm_provider == provider
        assert error.status_code == status
        assert message in str(error)
        assert KEY not in f"{error} {error!r} {vars(error)}"

    def test_retry_after_is_kept(self, wire: Any) -> None:
        wire.answers({"error": {"message": "slow down"}}, 429, {"retry-after": "7"})
        with pytest.raises(litellm.RateLimitError) as caught:
            litellm.completion(model="remodlai/m", messages=MESSAGES, api_base=BASE, api_key=KEY, max_retries=0)
        assert caught.value.litellm_response_headers["retry-after"] == "7"

    @pytest.mark.parametrize(
        ("raised", "expected"),
        [
            (httpx.ConnectError("refused"), (litellm.APIConnectionError, litellm.InternalServerError)),
            (httpx.ReadTimeout("too late"), (litellm.Timeout,)),
        ],
    )
    def test_connection_errors(self, wire: Any, raised: Exception, expected: tuple[type[Exception], ...]) -> None:
        def fail(request: httpx.Request) -> httpx.Response:
            raise raised

        wire.answer = fail
        with pytest.raises(expected) as caught:
            litellm.completion(model="remodlai/m", messages=MESSAGES, api_base=BASE, api_key=KEY, max_retries=0)
        assert KEY not in str(caught.value)

    def test_error_class_of_every_config(self) -> None:
        for config in (litellm.HostedLexiqNovaChatConfig(), litellm.LexiqNovaConfig()):
            error = config.get_error_class("no", 418, {"x": "y"})
            assert isinstance(error, LexiqNovaError)
            assert (error.status_code, error.message) == (418, "no")


class TestModelListing:
    def test_models_are_asked_for_with_the_key(self, wire: Any) -> None:
        wire.answers({"object": "list", "data": [{"id": "a"}, {"id": "org/b"}]})
        models = litellm.get_valid_models(
            check_provider_endpoint=True, custom_llm_provider="remodlai", api_key=KEY, api_base=BASE
        )
        assert [model.removeprefix("remodlai/") for model in models] == ["a", "org/b"]
        assert (str(wire.last.url), wire.last.headers["authorization"]) == (f"{BASE}/v1/models", f"Bearer {KEY}")

    @pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])
    def test_models_are_asked_for_as_a_deployment_says(self, wire: Any, provider: str) -> None:
        wire.answers({"object": "list", "data": [{"id": "a"}]})
        params = LiteLLM_Params(model="", api_base=BASE, extra_headers={"x-team": "blue"})
        listed = litellm.get_valid_models(
            check_provider_endpoint=True, custom_llm_provider=provider, litellm_params=params
        )
        assert [model.removeprefix(f"{provider}/") for model in listed] == ["a"]
        assert wire.last.headers["x-team"] == "blue"
        assert "authorization" not in wire.last.headers
        assert set(wire.last.extensions["timeout"].values()) == {NON_LLM_CONNECTION_TIMEOUT}

    def test_refused_listing_names_the_servers_reason(self, wire: Any) -> None:
        wire.answers({"error": "Unauthorized"}, 401)
        with pytest.raises(LexiqNovaError, match="Unauthorized"):
            litellm.HostedLexiqNovaChatConfig().get_models(KEY, BASE)

    def test_listing_without_a_server_or_vllm_asks_nobody(self, wire: Any, without_vllm: None) -> None:
        with pytest.raises(LexiqNovaError, match="REMODLAI_API_BASE"):
            litellm.HostedLexiqNovaChatConfig().get_models()
        assert wire.requests == []


class TestCost:
    def test_custom_price_per_token(self, wire: Any) -> None:
        wire.answers(ANSWER)
        prices = {"input_cost_per_token": 0.001, "output_cost_per_token": 0.002}
        response = litellm.completion(model="remodlai/priced", messages=MESSAGES, api_base=BASE, **prices)
        assert response._hidden_params["response_cost"] == pytest.approx(3 * 0.001 + 2 * 0.002)
        assert litellm.completion_cost(
            response, model="remodlai/priced", custom_cost_per_token=prices
        ) == pytest.approx(3 * 0.001 + 2 * 0.002)

    def test_a_custom_logger_sees_the_provider(self, wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[tuple[str, int]] = []
        logged = threading.Event()

        def log(kwargs: Any, response: Any, start: Any, end: Any) -> None:
            payload = kwargs["standard_logging_object"]
            if payload["model"] == "observed":  # calls of earlier tests may still be logged
                seen.append((payload["custom_llm_provider"], payload["total_tokens"]))
                logged.set()

        wire.answers(ANSWER)
        monkeypatch.setattr(litellm, "success_callback", [log])
        litellm.completion(model="remodlai/observed", messages=MESSAGES, api_base=BASE)
        assert logged.wait(10)
        assert seen == [("remodlai", 5)]
