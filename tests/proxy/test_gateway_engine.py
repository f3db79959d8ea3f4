"""The proxy in front of a real vLLM: clients, pass-through, and a generation that ends with its client."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import cohere
import openai
import pytest
from proxy.gateway import Gateway, config_of, deployment
from proxy.leaving import Client

from support.vllm_server import ENDLESS, VLLMServer
from support.waiting import eventually

ANSWER = "The capital of France is Paris."
MESSAGES: Any = [{"role": "user", "content": "What is the capital of France?"}]
MODELS = ("hosted", "local")
every_provider = pytest.mark.parametrize("model", MODELS)


@pytest.fixture(scope="session")
def gateways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[VLLMServer], Gateway]]:
    """For a server, the proxy whose two models, one for each provider, are that server."""
    started: dict[str, Gateway] = {}

    def in_front_of(server: VLLMServer) -> Gateway:
        if server.base not in started:
            models = [
                deployment("hosted", f"remodlai/{server.model}", server.base, api_key="os.environ/NOVA_KEY"),
                deployment("local", f"lexiq_nova/{server.model}", f"{server.base}/v1", api_key="os.environ/NOVA_KEY"),
            ]
            environment = {"NOVA_KEY": server.key, "REMODLAI_API_BASE": server.base, "REMODLAI_API_KEY": server.key}
            config = config_of(models, router_settings={"disable_cooldowns": True})
            started[server.base] = Gateway(tmp_path_factory.mktemp("gateway"), config, environment).start()
        return started[server.base]

    yield in_front_of
    for gateway in started.values():
        gateway.stop()


@pytest.fixture
def gateway(gateways: Callable[[VLLMServer], Gateway], chat_server: VLLMServer) -> Gateway:
    return gateways(chat_server)


@pytest.fixture
def client(gateway: Gateway) -> openai.OpenAI:
    return openai_client(gateway)


def openai_client(gateway: Gateway) -> openai.OpenAI:
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
    asked: Any = {"model": model, "messages": MESSAGES, "max_tokens": 20, "extra_body": {"temperature": 0}}

    answer = client.messages.create(**asked)
    assert [block.text for block in answer.content if block.type == "text"] == [ANSWER]
    with client.messages.stream(**asked) as stream:
        assert "".join(stream.text_stream) == ANSWER


def test_pass_through(gateway: Gateway, chat_server: VLLMServer) -> None:
    with gateway.client() as client:
        for model in ("hosted", chat_server.model):  # by the router, and by the environment
            tokens = client.post("/remodlai/tokenize", json={"model": model, "prompt": "Hello"}).raise_for_status()
            assert tokens.json()["count"] == len(tokens.json()["tokens"]) > 0
        assert client.get("/remodlai/version").json().keys() == {"version"}
        assert client.get("/remodlai/v1/models").json()["data"][0]["id"] == chat_server.model
        unknown = client.post("/remodlai/no/such/route", json={"model": "hosted"})
        assert unknown.status_code == 404


@every_provider
def test_embeddings_and_rerank(
    gateways: Callable[[VLLMServer], Gateway], embedding_server: VLLMServer, model: str
) -> None:
    gateway = gateways(embedding_server)
    texts = ["Paris is the capital of France.", "Bread is baked in an oven."]

    answer = openai_client(gateway).embeddings.create(model=model, input=texts)
    assert [len(item.embedding) for item in answer.data] == [384, 384]
    reranked = cohere.ClientV2(api_key=gateway.key, base_url=gateway.url).rerank(
        model=model, query="How is bread made?", documents=texts, top_n=1
    )
    assert [result.index for result in reranked.results] == [1]


def test_pass_through_to_pooling_routes(
    gateways: Callable[[VLLMServer], Gateway], embedding_server: VLLMServer
) -> None:
    with gateways(embedding_server).client() as client:
        pooled = client.post("/remodlai/pooling", json={"model": "hosted", "input": "Hello"}).raise_for_status().json()
        assert len(pooled["data"][0]["data"]) > 0
        pair = {"model": "hosted", "text_1": "bread", "text_2": "bread"}
        scored = client.post("/remodlai/score", json=pair).raise_for_status().json()
        assert scored["data"][0]["score"] == pytest.approx(1, abs=0.01)


@every_provider
def test_audio(
    gateways: Callable[[VLLMServer], Gateway], whisper_server: VLLMServer, model: str, tmp_path: Path
) -> None:
    speech = tmp_path / "speech.wav"
    subprocess.run(["espeak-ng", "-s", "140", "-w", str(speech), "The meeting starts on Monday."], check=True)

    heard = openai_client(gateways(whisper_server)).audio.transcriptions.create(
        model=model, file=speech, language="en", temperature=0
    )

    assert "Monday" in heard.text


LONG = {"max_tokens": ENDLESS, "ignore_eos": True}
"""Far more tokens than are made before anybody notices that the client has gone."""
STOPPED_SECONDS = 10.0
"""How long a busy machine may take to notice; the whole answer takes half a minute. `test_disconnect` is stricter."""
CALLS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": MESSAGES, **LONG},
    "/v1/completions": {"prompt": "Once upon a time", **LONG},
    "/v1/messages": {"messages": MESSAGES, **LONG},
    "/v1/responses": {"input": "Tell a long story.", "max_output_tokens": ENDLESS, "ignore_eos": True},
    "/remodlai/v1/chat/completions": {"messages": MESSAGES, **LONG},
}


@pytest.mark.parametrize(
    ("path", "stream"),
    [(path, stream) for path in CALLS for stream in (True, False)],
)
@every_provider
def test_leaving_ends_the_generation(
    gateway: Gateway, chat_server: VLLMServer, model: str, path: str, stream: bool
) -> None:
    vllm = chat_server
    eventually(lambda: vllm.running() == 0, 10)
    client = Client(gateway, path, {"model": model, "stream": stream, **CALLS[path]})
    if stream:
        client.read_until(b"data: ")
    eventually(lambda: vllm.running() == 1, 20)
    made = vllm.metrics()["vllm:generation_tokens_total"]

    client.leave()

    eventually(lambda: vllm.running() == 0, STOPPED_SECONDS)
    assert vllm.metrics()["vllm:generation_tokens_total"] - made < ENDLESS // 2
