"""What LiteLLM knows about a provider without asking a server: `remodlai` must be known as `hosted_vllm` is."""

import inspect
import sys
from collections.abc import Callable
from typing import Any

import pytest
from parity.answers import CONTEXT
from parity.harness import TWIN, UPSTREAM
from parity.normalise import failure, plain

import litellm
from litellm.litellm_core_utils.get_supported_openai_params import get_supported_openai_params
from litellm.llms.openai_like.common_utils import OpenAILikeError
from litellm.types.utils import LlmProviders
from litellm.utils import ProviderConfigManager

pytestmark = pytest.mark.filterwarnings("ignore")

MODELS = ("m", "org/name", "gpt-oss-120b", "gpt-4o", "a:b@c")
CONFIGS = sorted(name for name in vars(ProviderConfigManager) if name.startswith("get_provider_"))
SUPPORTS = sorted(
    name
    for name, function in vars(litellm.utils).items()
    if name.startswith("supports_") and "custom_llm_provider" in inspect.signature(function).parameters
)
REQUESTS = ("chat_completion", "embeddings", "transcription", "responses", "rerank", "image_generation")


def seen(call: Callable[[], Any], provider: str) -> Any:
    """What `call` returns or raises, as comparable data."""
    try:
        return plain(call(), provider)
    except Exception as error:
        return failure(error, provider)


def assert_same(call: Callable[[str], Any]) -> None:
    """`call`, given the provider's name, says the same for both providers."""
    assert seen(lambda: call(UPSTREAM), UPSTREAM) == seen(lambda: call(TWIN), TWIN)


def config(method: str, provider: str, model: str) -> Any:
    """The config class that LiteLLM uses for one kind of endpoint, or None."""
    function = getattr(ProviderConfigManager, method)
    asked = {"model": model, "provider": LlmProviders(provider)}
    return function(**{name: asked[name] for name in inspect.signature(function).parameters if name in asked})


@pytest.mark.parametrize("method", CONFIGS)
def test_config_classes(method: str) -> None:
    """Where upstream has a config for the provider, the twin has one of its own that is one of upstream's kind."""
    try:
        upstream = config(method, UPSTREAM, "m")
    except Exception as error:
        with pytest.raises(type(error)):
            config(method, TWIN, "m")
        return
    twin = config(method, TWIN, "m")
    assert (upstream is None) == (twin is None)
    if "vllm" in type(upstream).__module__:
        assert type(twin).__module__.startswith("litellm.llms.remodlai")
        assert isinstance(twin, type(upstream))
    else:
        assert type(twin) is type(upstream)


@pytest.mark.parametrize("method", CONFIGS)
def test_supported_parameters(method: str) -> None:
    def parameters(provider: str) -> Any:
        found = config(method, provider, "m")
        names = [name for name in dir(found) if name.startswith("get_supported_")]
        return {name: sorted(getattr(found, name)("m")) for name in names}

    assert_same(parameters)


@pytest.mark.parametrize("request_type", REQUESTS)
@pytest.mark.parametrize("model", MODELS)
def test_get_supported_openai_params(model: str, request_type: Any) -> None:
    assert_same(lambda provider: get_supported_openai_params(model, provider, request_type=request_type))


@pytest.mark.parametrize("name", SUPPORTS)
@pytest.mark.parametrize("model", MODELS)
def test_supports(name: str, model: str) -> None:
    assert_same(lambda provider: getattr(litellm.utils, name)(model, custom_llm_provider=provider))
    assert_same(lambda provider: getattr(litellm.utils, name)(f"{provider}/{model}", custom_llm_provider=None))


@pytest.mark.parametrize("model", MODELS)
def test_model_info(model: str) -> None:
    assert_same(lambda provider: litellm.get_model_info(f"{provider}/{model}"))
    assert_same(lambda provider: litellm.get_max_tokens(f"{provider}/{model}"))
    assert_same(lambda provider: litellm.cost_per_token(f"{provider}/{model}", 10, 20))


@pytest.mark.parametrize("base", [None, "http://127.0.0.1:1/v1"])
@pytest.mark.parametrize("model", MODELS)
def test_get_llm_provider(model: str, base: str | None) -> None:
    """Model, provider and key; the base only where one is given, because the twin never has none."""

    def parts(provider: str, **asked: Any) -> Any:
        found = litellm.get_llm_provider(api_base=base, **asked)
        return found if base else found[:3]

    assert_same(lambda provider: parts(provider, model=f"{provider}/{model}"))
    assert_same(lambda provider: parts(provider, model=model, custom_llm_provider=provider))


OPENAI_PARAMETERS: dict[str, Any] = {
    "temperature": 0.5,
    "max_tokens": 5,
    "max_completion_tokens": 5,
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"additionalProperties": False}}}],
    "tool_choice": "auto",
    "reasoning_effort": "low",
    "thinking": {"type": "enabled", "budget_tokens": 2048},
    "response_format": {"type": "json_object"},
    "top_k": 3,
    "verbosity": "low",
    "modalities": ["text", "audio"],
}


@pytest.mark.parametrize("drop", [False, True])
@pytest.mark.parametrize("name", sorted(OPENAI_PARAMETERS))
def test_get_optional_params(name: str, drop: bool) -> None:
    given = {name: OPENAI_PARAMETERS[name], "drop_params": drop}
    assert_same(lambda provider: litellm.utils.get_optional_params("m", custom_llm_provider=provider, **given))


@pytest.mark.parametrize("parameter", ["dimensions", "encoding_format", "user", "task"])
def test_get_optional_params_embeddings(parameter: str) -> None:
    given = {parameter: 4 if parameter == "dimensions" else "float"}
    assert_same(
        lambda provider: litellm.utils.get_optional_params_embeddings("m", custom_llm_provider=provider, **given)
    )


@pytest.mark.parametrize("key", [None, "sk-1"])
def test_validate_environment(key: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_same(lambda provider: litellm.validate_environment(f"{provider}/m"))
    assert_same(lambda provider: litellm.validate_environment(f"{provider}/m", api_key=key, api_base="http://a/v1"))
    for provider in (UPSTREAM, TWIN):
        monkeypatch.setenv(f"{provider.upper()}_API_KEY", "sk-env")
    assert_same(lambda provider: litellm.validate_environment(f"{provider}/m"))


PROVIDER_LISTS = sorted(
    (module.__name__, name)
    for module in (litellm, litellm.constants, litellm.types.utils, litellm.files.types)
    for name, value in vars(module).items()
    if isinstance(value, (list, set, frozenset, tuple)) and UPSTREAM in value
)


@pytest.mark.parametrize(("module", "name"), PROVIDER_LISTS)
def test_provider_lists(module: str, name: str) -> None:
    """A list of provider names that holds `hosted_vllm` holds the twin as well."""
    assert TWIN in vars(sys.modules[module])[name]


def test_provider_lists_are_found() -> None:
    assert len(PROVIDER_LISTS) > 5


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("message", ["no", CONTEXT, "rate limit", "Timeout"])
def test_exception_mapping(status: int, message: str) -> None:
    """An error of the provider's own class is mapped to the same exception."""

    def mapped(provider: str) -> Any:
        error = OpenAILikeError(status_code=status, message=message)
        return litellm.exception_type(model="m", original_exception=error, custom_llm_provider=provider)

    assert_same(mapped)


@pytest.mark.parametrize("cost", [{}, {"input_cost_per_token": 0.001, "output_cost_per_token": 0.002}])
def test_completion_cost(cost: dict[str, float]) -> None:
    def of(provider: str) -> Any:
        response = litellm.ModelResponse(
            model="m", usage={"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
        )
        response._hidden_params["custom_llm_provider"] = provider
        prices = {"custom_cost_per_token": cost} if cost else {}
        return litellm.completion_cost(response, model=f"{provider}/m", **prices)

    assert_same(of)
