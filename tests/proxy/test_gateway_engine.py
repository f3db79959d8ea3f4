"""The proxy in front of a real vLLM: clients, pass-through, and a generation that ends with its client."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import openai
import pytest
from proxy.gateway import Gateway, config_of, deployment
from proxy.leaving import SECONDS, Client

from support.vllm_server import ServerPool, VLLMServer

ANSWER = "The capital of France is Paris."
MESSAGES: Any = [{"role": "user", "content": "What is the capital of France?"}]
MODELS = ("hosted", "local")
ENDLESS = {"max_tokens": 1900, "ignore_eos": True}
"""Far more tokens than are made before anybody notices that the client has gone."""

every_provider = pytest.mark.parametrize("model", MODELS)


@pytest.fixture(scope="module")
def vllm() -> Iterator[VLLMServer]:
    pool = ServerPool()
    yield pool.get("chat")
    pool.stop()


@pytest.fixture(scope="module")
def gateway(vllm: VLLMServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A proxy whose two models, one for each provider, are the same real server."""
    models = [
        deployment("hosted", f"remodlai/{vllm.model}", vllm.base, api_key="os.environ/NOVA_KEY"),
        deployment("local", f"lexiq_nova/{vllm.model}", f"{vllm.base}/v1", api_key="os.environ/NOVA_KEY"),
    ]
    environment = {"NOVA_KEY": vllm.key, "REMODLAI_API_BASE": vllm.base, "REMODLAI_API_KEY": vllm.key}
    config = config_of(models, router_settings={"disable_cooldowns": True})
    with Gateway(tmp_path_factory.mktemp("gateway"), config, environment) as started:
        yield started


@pytest.fixture
def client(gateway: Gateway) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0)


@every_provider
def test_openai_chat_and_stream(client: openai.OpenAI, model: str) -> None:
    asked: Any = {"model": model, "messages": MESSAGES, "temperature": 0, "max_tokens": 20}

    answer = client.chat.completions.create(**asked)
    assert answer.choices[0].message.content == ANSWER
    streamed = client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
    chunks = list(streamed)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == ANSWER
    assert [chunk.usage for chunk in chunks if chunk.usage] != [] and answer.usage is not None
    assert chunks[-1].usage is not None and chunks[-1].usage.total_tokens == answer.usage.total_tokens


@every_provider
def test_openai_tools(client: openai.OpenAI, model: str) -> None:
    parameters = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}},
        "required": ["city"],
        "additionalProperties": False,
    }
    weather: Any = {"type": "function", "function": {"name": "get_weather", "parameters": parameters}}
    answer = client.chat.completions.create(
        model=model, messages=MESSAGES, tools=[weather], tool_choice="required", temperature=0, max_tokens=100
    )

    call = (answer.choices[0].message.tool_calls or [])[0]
    assert call.type == "function" and call.function.name == "get_weather"
    assert set(json.loads(call.function.arguments)) == {"city"}


@every_provider
def test_openai_responses(client: openai.OpenAI, model: str) -> None:
    asked: Any = {"model": model, "input": MESSAGES[0]["content"], "temperature": 0, "max_output_tokens": 20}

    assert client.responses.create(**asked).output_text == ANSWER
    events = list(client.responses.create(**asked, stream=True))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == ANSWER


@every_provider
def test_anthropic_messages(gateway: Gateway, model: str) -> None:
    client = anthropic.Anthropic(base_url=gateway.url, auth_token=gateway.key, api_key=None, max_retries=0)
    asked: Any = {"model": model, "messages": MESSAGES, "max_tokens": 20, "temperature": 0}

    answer = client.messages.create(**asked)
    assert [block.text for block in answer.content if block.type == "text"] == [ANSWER]
    with client.messages.stream(**asked) as stream:
        assert "".join(stream.text_stream) == ANSWER


def test_pass_through(gateway: Gateway, vllm: VLLMServer) -> None:
    with gateway.client() as client:
        for model in ("hosted", vllm.model):  # by the router, and by the environment
            tokens = client.post("/remodlai/tokenize", json={"model": model, "prompt": "Hello"}).raise_for_status()
            assert tokens.json()["count"] == len(tokens.json()["tokens"]) > 0
        assert client.get("/remodlai/version").json().keys() == {"version"}
        assert client.get("/remodlai/v1/models").json()["data"][0]["id"] == vllm.model
        unknown = client.post("/remodlai/no/such/route", json={"model": "hosted"})
        assert unknown.status_code == 404


CALLS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": MESSAGES, **ENDLESS},
    "/v1/completions": {"prompt": "Once upon a time", **ENDLESS},
    "/v1/messages": {"messages": MESSAGES, **ENDLESS},
    "/v1/responses": {"input": "Tell a long story.", "max_output_tokens": 1900, "ignore_eos": True},
    "/remodlai/v1/chat/completions": {"messages": MESSAGES, **ENDLESS},
}


@pytest.mark.parametrize(
    ("path", "stream"),
    [(path, stream) for path in CALLS for stream in (True, False) if stream or path.startswith("/v1/")],
)
@every_provider
def test_leaving_ends_the_generation(gateway: Gateway, vllm: VLLMServer, model: str, path: str, stream: bool) -> None:
    assert wait_for(lambda: vllm.running() == 0, 10)
    client = Client(gateway, path, {"model": model, "stream": stream, **CALLS[path]})
    if stream:
        client.read_until(b"data: ")
    assert wait_for(lambda: vllm.running() == 1, 20)
    made = vllm.metrics()["vllm:generation_tokens_total"]

    client.leave()

    assert wait_for(lambda: vllm.running() == 0, SECONDS), "the server still generates"
    assert vllm.metrics()["vllm:generation_tokens_total"] - made < 1900


def wait_for(true: Callable[[], bool], seconds: float) -> bool:
    """Ask again and again until a condition holds, for at most `seconds`; the last question may end after that."""
    deadline = time.monotonic() + seconds
    while not (held := true()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return held
