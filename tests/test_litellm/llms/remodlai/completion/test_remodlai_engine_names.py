"""
The engine that a call reaches stands in its URL, with the call's options, on every endpoint; and which engines a
process may start. No engine is started here: a recorder stands where its transport is.
"""

import asyncio
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

import litellm
from litellm.llms.custom_httpx.collector_safe_client import CollectorSafeClient
from litellm.llms.remodlai.completion.handler import openai_client
from litellm.llms.remodlai.engine import permits
from litellm.llms.remodlai.engine.address import local_server
from litellm.llms.remodlai.engine.engine import Engine
from litellm.llms.remodlai.engine.transport import LocalEngineTransport
from litellm.llms.remodlai.errors import LexiqNovaError
from litellm.types.utils import CredentialItem

ARGS = {"max_model_len": 77}
CHAT = [{"role": "user", "content": "Hello"}]
WAV = ("speech.wav", b"RIFF\x24\x00\x00\x00WAVE", "audio/wav")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)
CALLS: dict[str, tuple[Mapping[str, Any], str]] = {
    "completion": ({"messages": CHAT}, "/v1/chat/completions"),
    "completion streamed": ({"messages": CHAT, "stream": True}, "/v1/chat/completions"),
    "text_completion": ({"prompt": "Hello"}, "/v1/completions"),
    "text_completion streamed": ({"prompt": "Hello", "stream": True}, "/v1/completions"),
    "embedding": ({"input": ["Hello"]}, "/v1/embeddings"),
    "rerank": ({"query": "q", "documents": ["a"]}, "/v1/rerank"),
    "responses": ({"input": "Hello"}, "/v1/responses"),
    "responses streamed": ({"input": "Hello", "stream": True}, "/v1/responses"),
    "transcription": ({"file": WAV}, "/v1/audio/transcriptions"),
    "speech": ({"input": "Hello", "voice": "alloy"}, "/v1/audio/speech"),
    "image_edit": ({"image": PNG, "prompt": "bluer"}, "/v1/images/edits"),
    "image_generation": ({"prompt": "a cat"}, "/v1/images/generations"),
    "video_generation": ({"prompt": "a cat"}, "/v1/videos"),
    "decisions": (
        {"input": "text", "questions": [{"type": "predicate", "name": "q0", "instructions": "Is it good?"}]},
        "/v1/systemone",
    ),
    "anthropic_messages": ({"messages": CHAT, "max_tokens": 9}, "/v1/chat/completions"),
    "llm_passthrough_route": ({"method": "POST", "endpoint": "tokenize", "json": {"model": "other"}}, "/tokenize"),
}
WITHOUT_ENGINE: dict[str, Mapping[str, Any]] = {
    "create_file": {"file": b"x", "purpose": "batch"},
    "file_list": {},
    "list_batches": {},
    "moderation": {"input": "Hello", "model": "m"},
}


@pytest.fixture(autouse=True)
def another_interpreter_may_have_vllm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXIQ_NOVA_PYTHON", "/opt/vllm/bin/python")
    for name in ("LEXIQ_NOVA_ENGINE_ARGS", "LEXIQ_NOVA_MODELS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The URLs that reached the transport; what stands there answers 404."""
    urls: list[str] = []

    def answer(_: LocalEngineTransport, request: httpx.Request) -> httpx.Response:
        urls.append(str(request.url))
        return httpx.Response(404, json={"error": {"message": "no such route"}}, request=request)

    async def answer_async(transport: LocalEngineTransport, request: httpx.Request) -> httpx.Response:
        await request.aread()
        return answer(transport, request)

    monkeypatch.setattr(LocalEngineTransport, "handle_request", answer)
    monkeypatch.setattr(LocalEngineTransport, "handle_async_request", answer_async)
    return urls


def function(name: str, asynchronous: bool, of: object = litellm) -> Callable[..., Any]:
    if name == "anthropic_messages" and of is litellm:
        return litellm.anthropic.messages.acreate if asynchronous else litellm.anthropic.messages.create
    return getattr(of, f"a{name}" if asynchronous and name != "anthropic_messages" else name)


def refused(called: Callable[..., Any], **call: Any) -> Any:
    """The exception of a call, however it is made."""

    async def awaited() -> None:
        answer = await called(**call)
        if call.get("stream"):
            async for _ in answer:
                pass

    with pytest.raises(Exception) as error:
        if inspect.iscoroutinefunction(inspect.unwrap(called)):
            asyncio.run(awaited())
        else:
            answer = called(**call)
            if inspect.isawaitable(answer):
                asyncio.run(answer)  # type: ignore[arg-type]
            elif call.get("stream"):
                list(answer)
    return error.value


@pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("name", CALLS)
def test_url_names_the_engine_of_model_and_options(
    asked: list[str], name: str, asynchronous: bool, provider: str
) -> None:
    arguments, path = CALLS[name]
    call = {**arguments, "model": f"{provider}/m", "engine_args": ARGS}
    error = refused(function(name.split()[0], asynchronous), **call)
    base = local_server("m", ARGS).base.removesuffix("/v1")
    assert asked == [f"{base}{path}"], error
    assert "no such route" in str(error) or "no such route" in error.response.text


ROUTED = ("completion", "text_completion", "embedding", "rerank", "responses", "transcription", "image_generation")


@pytest.mark.parametrize(
    ("name", "asynchronous"),
    [*((name, True) for name in ROUTED), ("completion", False), ("embedding", False), ("image_generation", False)],
)
def test_router_gives_a_deployments_options(asked: list[str], name: str, asynchronous: bool) -> None:
    deployment = {"model_name": "own", "litellm_params": {"model": "lexiq_nova/m", "engine_args": ARGS}}
    router = litellm.Router([deployment], num_retries=0)
    arguments, path = CALLS[name]
    error = refused(function(name, asynchronous, router), **{**arguments, "model": "own"})
    assert set(asked) == {local_server("m", ARGS).base.removesuffix("/v1") + path}, error


@pytest.mark.parametrize("name", ["completion", "rerank", "responses", "transcription", "text_completion", "embedding"])
def test_refused_option_is_a_bad_request_everywhere(asked: list[str], name: str) -> None:
    arguments, _ = CALLS[name]
    for asynchronous in (False, True):
        call = {**arguments, "model": "lexiq_nova/m", "engine_args": {"por": 1}}
        error = refused(function(name, asynchronous), **call)
        assert isinstance(error, litellm.BadRequestError) and "--por" in str(error)
    assert asked == []


def test_every_way_to_name_a_model(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litellm, "model_alias_map", {"mine": "lexiq_nova/m"})
    base = local_server("m", ARGS).base
    own = {"engine_args": ARGS}
    for call in (
        lambda: litellm.completion("lexiq_nova/m", CHAT, **own),
        lambda: litellm.completion("m", CHAT, custom_llm_provider="lexiq_nova", **own),
        lambda: litellm.completion("lexiq_nova/m", CHAT, custom_llm_provider="lexiq_nova", **own),
        lambda: litellm.completion("mine", CHAT, **own),
        lambda: litellm.text_completion("Hello", "lexiq_nova/m", **own),
        lambda: litellm.rerank("lexiq_nova/m", "q", ["a"], **own),
        lambda: litellm.completion("lexiq_nova/m", CHAT, api_base="", **own),
    ):
        asked.clear()
        with pytest.raises(litellm.NotFoundError):
            call()
        assert len(asked) == 1 and asked[0].startswith(base)


def test_options_never_reach_a_server_that_is_configured(wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = CredentialItem(credential_name="own", credential_values={"api_base": "http://stored"}, credential_info={})
    monkeypatch.setattr(litellm, "credential_list", [stored])
    for server in ({"api_base": "http://given"}, {"base_url": "http://given"}, {"litellm_credential_name": "own"}):
        wire.answers({"error": "no"}, 404)
        with pytest.raises(litellm.NotFoundError):
            litellm.completion("lexiq_nova/m", CHAT, engine_args=ARGS, **server)
        assert wire.last.url.host in ("given", "stored") and "engine_args" not in wire.body()


def test_a_mocked_answer_needs_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("litellm.llms.remodlai.engine.engine.is_installed", lambda python: False)
    answer = litellm.completion("lexiq_nova/m", CHAT, mock_response="Hi", engine_args=ARGS)
    assert answer.choices[0].message.content == "Hi"


@pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("name", WITHOUT_ENGINE)
def test_what_vllm_does_not_have_says_so(asked: list[str], name: str, asynchronous: bool, provider: str) -> None:
    call = dict(WITHOUT_ENGINE[name])
    own = {"model": f"{provider}/m"} if "model" in call else {"custom_llm_provider": provider}
    called = function(name, asynchronous) if "_b" not in name else getattr(litellm, f"a{name}"[not asynchronous :])
    error = refused(called, **{**call, **own})
    assert isinstance(error, litellm.BadRequestError) and "need a server, and none is configured" in str(error)
    assert asked == []


class Proxy(SimpleNamespace):
    """What a process that serves the proxy knows of its deployments."""

    def __init__(self, *deployments: dict[str, Any], **more: Any) -> None:
        models = [{"model_name": f"public-{n}", "litellm_params": own} for n, own in enumerate(deployments)]
        super().__init__(llm_router=litellm.Router(models) if models else None, **more)


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    def serving(*deployments: dict[str, Any], **more: Any) -> None:
        monkeypatch.setitem(sys.modules, "litellm.proxy.proxy_server", Proxy(*deployments, **more))  # type: ignore[arg-type]
        permits.only_deployments()

    yield serving
    permits._serving.clear()


def may(model: str, options: Any = None) -> bool:
    try:
        return bool(local_server(model, options))
    except LexiqNovaError as error:
        assert error.status_code == 404
        return False


def test_a_proxy_starts_what_its_deployments_name(serve: Callable[..., None]) -> None:
    serve(
        {"model": "lexiq_nova/own", "engine_args": ARGS},
        {"model": "other", "custom_llm_provider": "remodlai"},
        {"model": "lexiq_nova/hosted", "api_base": "http://server"},
        {"model": "hosted_vllm/theirs", "api_base": "http://server"},
        {"model": "openai/gpt-4o"},
    )
    assert may("own", ARGS) and may("own", "--max-model-len 77") and may("other")
    for options in (None, {}, {"max_model_len": 78}, {**ARGS, "trust_remote_code": True}):
        assert not may("own", options)
    for model in ("hosted", "theirs", "gpt-4o", "openai/gpt-4o", "/", "/etc", "own/../own", "*", "Own", "other/x"):
        assert not may(model)
    assert permits.deployment_of("own") == "public-0"
    assert permits.deployment_of("hosted") is None


def test_a_wildcard_allows_its_models_with_its_options(serve: Callable[..., None]) -> None:
    serve({"model": "lexiq_nova/org/*", "engine_args": ARGS}, {"model": "*"})
    assert may("org/one", ARGS) and may("org/two/three", ARGS)
    assert not may("org/one") and not may("other/one", ARGS) and not may("org/../other", ARGS)
    assert permits.deployment_of("org/one") is None


def test_a_proxy_without_configuration_starts_what_its_command_line_names(serve: Callable[..., None]) -> None:
    serve()
    assert not may("own")
    serve(user_model="lexiq_nova/own")
    assert may("own") and not may("other")


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("name", CALLS)
def test_no_endpoint_of_a_proxy_reaches_another_engine(
    asked: list[str], serve: Callable[..., None], name: str, asynchronous: bool
) -> None:
    serve({"model": "lexiq_nova/own"})
    arguments, _ = CALLS[name]
    call = {**arguments, "model": "gpt-4o", "custom_llm_provider": "lexiq_nova"}
    if not name.startswith("anthropic"):
        error = refused(function(name.split()[0], asynchronous), **call)
        assert getattr(error, "status_code", None) == 404 and "no deployment" in str(error)
    error = refused(function(name.split()[0], asynchronous), **{**call, "model": "remodlai/somebody/repo"})
    assert getattr(error, "status_code", None) == 404
    assert asked == []


def test_an_operators_list(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "models/one").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    monkeypatch.setenv("LEXIQ_NOVA_MODELS", f"org/*, exact,{tmp_path}/models/*")
    assert may("org/one") and may("exact") and may(f"{tmp_path}/models/one") and may(f"{tmp_path}/other/../models/one")
    assert not may("exact2") and not may("organisation/one") and not may("org/../other")
    assert not may(f"{tmp_path}/models/../other") and not may(f"{tmp_path}/other")
    (tmp_path / "models/link").symlink_to(tmp_path / "other")
    assert not may(f"{tmp_path}/models/link")


def test_an_operators_list_bounds_the_deployments_too(
    serve: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    serve({"model": "lexiq_nova/*"})
    monkeypatch.setenv("LEXIQ_NOVA_MODELS", "own")
    assert may("own") and not may("other")
    assert not permits.allows(Engine.of("other"))


def test_the_openai_package_s_client_of_the_engine_is_collector_safe() -> None:
    assert isinstance(openai_client("lexiq-nova://local/v1", 1.0, is_async=False)._client, CollectorSafeClient)
