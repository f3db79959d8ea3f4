"""Real clients against a real proxy: what they send reaches the server, and they understand what comes back."""

import io
import json
import subprocess
from typing import Any

import anthropic
import cohere
import openai
import pytest
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from proxy.backend import TEXT, TOOL_CALL, USAGE
from proxy.gateway import Gateway

from support.recording import RecordingServer

CHAT_MODELS = {"lexiq-nova-chat": "nova", "lexiq-nova-local": "org/nova"}
"""Public names of the chat deployments, one for each provider, and what their server calls the model."""
QUESTION = "What is the capital of France?"
MESSAGES: Any = [{"role": "user", "content": QUESTION}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}

every_provider = pytest.mark.parametrize("model", CHAT_MODELS)


@pytest.fixture
def client(gateway: Gateway) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0)


def sent(server: RecordingServer, path: str) -> Any:
    """The body of the one request that came, which went to `path`."""
    [request] = server.take()
    assert (request.method, request.path) == ("POST", path)
    return request.json()


@every_provider
def test_openai_chat(client: openai.OpenAI, server: RecordingServer, model: str) -> None:
    answer = client.chat.completions.create(model=model, messages=MESSAGES, temperature=0)

    assert answer.choices[0].message.content == TEXT
    assert answer.usage is not None and answer.usage.total_tokens == USAGE["total_tokens"]
    body = sent(server, "/v1/chat/completions")
    assert (body["model"], body["messages"], body["temperature"]) == (CHAT_MODELS[model], MESSAGES, 0)


@every_provider
def test_openai_stream(client: openai.OpenAI, server: RecordingServer, model: str) -> None:
    options: Any = {"include_usage": True}
    chunks = list(client.chat.completions.create(model=model, messages=MESSAGES, stream=True, stream_options=options))

    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == TEXT
    assert [chunk.usage.total_tokens for chunk in chunks if chunk.usage] == [USAGE["total_tokens"]]
    assert "stop" in [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]
    assert sent(server, "/v1/chat/completions")["stream"] is True


@every_provider
def test_openai_tools(client: openai.OpenAI, server: RecordingServer, model: str) -> None:
    answer = client.chat.completions.create(model=model, messages=MESSAGES, tools=[WEATHER], tool_choice="required")

    [call] = answer.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "Paris"})
    assert answer.choices[0].finish_reason == "tool_calls"
    body = sent(server, "/v1/chat/completions")
    assert (body["tools"], body["tool_choice"]) == ([WEATHER], "required")


@every_provider
def test_openai_tools_streamed(client: openai.OpenAI, server: RecordingServer, model: str) -> None:
    with client.chat.completions.stream(model=model, messages=MESSAGES, tools=[WEATHER]) as stream:
        message = stream.get_final_completion().choices[0].message

    [call] = message.tool_calls or []
    assert (call.function.name, call.function.arguments) == ("get_weather", TOOL_CALL["function"]["arguments"])


@every_provider
def test_openai_responses(client: openai.OpenAI, server: RecordingServer, model: str) -> None:
    answer = client.responses.create(model=model, input=QUESTION)

    assert answer.output_text == TEXT
    assert answer.usage is not None and answer.usage.total_tokens == USAGE["total_tokens"]
    body = sent(server, "/v1/responses")
    assert (body["model"], body["input"]) == (CHAT_MODELS[model], QUESTION)


@every_provider
def test_openai_responses_streamed(client: openai.OpenAI, server: RecordingServer, model: str) -> None:
    events = list(client.responses.create(model=model, input=QUESTION, stream=True))

    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == TEXT
    assert events[-1].type == "response.completed" and events[-1].response.output_text == TEXT


@every_provider
def test_openai_text_completion(client: openai.OpenAI, server: RecordingServer, model: str) -> None:
    assert client.completions.create(model=model, prompt="The capital").choices[0].text == TEXT
    assert sent(server, "/v1/completions")["model"] == CHAT_MODELS[model]

    streamed = client.completions.create(model=model, prompt="The capital", stream=True)
    assert "".join(chunk.choices[0].text or "" for chunk in streamed if chunk.choices) == TEXT


def test_openai_embeddings(client: openai.OpenAI, server: RecordingServer) -> None:
    # The superset of the Nova models passes from the body of a request to the server.
    more = {"task": "retrieval.query", "return_multivector": False}
    answer = client.embeddings.create(
        model="lexiq-nova-embedding", input=["a", "b"], encoding_format="float", extra_body=more
    )

    assert [item.embedding[0] for item in answer.data] == [0.0, 1.0]
    body = sent(server, "/v1/embeddings")
    assert body["input"] == ["a", "b"] and more.items() <= body.items()


def test_openai_audio(client: openai.OpenAI, server: RecordingServer) -> None:
    sound = io.BytesIO(b"RIFF....WAVE")
    sound.name = "speech.wav"

    assert client.audio.transcriptions.create(model="lexiq-nova-whisper", file=sound).text == TEXT
    [request] = server.take()
    parts = {part.name: part for part in request.parts()}
    assert request.path == "/v1/audio/transcriptions"
    assert parts["model"].content == b"nova-whisper"
    assert parts["file"].content == sound.getvalue()


@every_provider
def test_anthropic_messages(gateway: Gateway, server: RecordingServer, model: str) -> None:
    client = anthropic.Anthropic(base_url=gateway.url, auth_token=gateway.key, api_key=None, max_retries=0)
    asked: Any = {"model": model, "max_tokens": 20, "messages": MESSAGES}

    answer = client.messages.create(**asked)
    assert [block.text for block in answer.content if block.type == "text"] == [TEXT]
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (11, 7)
    assert sent(server, "/v1/chat/completions")["max_tokens"] == 20

    with client.messages.stream(**asked) as stream:
        assert "".join(stream.text_stream) == TEXT
        assert stream.get_final_message().stop_reason == "end_turn"


def test_cohere_rerank(gateway: Gateway, server: RecordingServer) -> None:
    client = cohere.ClientV2(api_key=gateway.key, base_url=gateway.url)

    answer = client.rerank(model="lexiq-nova-rerank", query="second", documents=["a", "b", "c"], top_n=2)

    assert [result.index for result in answer.results] == [1, 0]
    body = sent(server, "/v1/rerank")
    assert (body["model"], body["documents"], body["top_n"]) == ("nova-rerank", ["a", "b", "c"], 2)


@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank"])
def test_rerank_over_plain_http(gateway: Gateway, server: RecordingServer, path: str) -> None:
    asked = {"model": "lexiq-nova-rerank", "query": "second", "documents": ["a", "b", "c"], "top_n": 2}
    with gateway.client() as client:
        answer = client.post(path, json=asked).raise_for_status().json()

    assert [result["index"] for result in answer["results"]] == [1, 0]
    assert answer["results"][0]["document"] == {"text": "b"}


@tool
def get_weather(city: str) -> str:
    """The weather in a city"""
    return f"Rain in {city}"


# LangChain keeps one asynchronous client for each base, so its open connection needs the same event loop in every run.
@pytest.mark.asyncio(loop_scope="module")
@every_provider
async def test_langchain(gateway: Gateway, server: RecordingServer, model: str) -> None:
    chat = ChatOpenAI(model=model, base_url=f"{gateway.url}/v1", api_key=lambda: gateway.key, max_retries=0)

    assert chat.invoke(QUESTION).content == TEXT
    assert "".join([str(chunk.content) async for chunk in chat.astream(QUESTION)]) == TEXT
    called = chat.bind_tools([get_weather]).invoke(QUESTION)
    assert isinstance(called, AIMessage)
    assert [(call["name"], call["args"]) for call in called.tool_calls] == [("get_weather", {"city": "Paris"})]
    assert get_weather.invoke(called.tool_calls[0]["args"]) == "Rain in Paris"


@every_provider
def test_curl(gateway: Gateway, server: RecordingServer, model: str) -> None:
    body = json.dumps({"model": model, "messages": MESSAGES, "stream": True})
    # The key comes in by standard input: a command line can be read by every user of the machine.
    done = subprocess.run(
        ["curl", "-sSN", "--fail", "-H", "@-", "-d", body, f"{gateway.url}/v1/chat/completions"],
        input=f"Authorization: Bearer {gateway.key}\nContent-Type: application/json\n",
        capture_output=True,
        text=True,
        check=True,
    )

    lines = [line for line in done.stdout.splitlines() if line]
    assert all(line.startswith("data: ") for line in lines) and lines[-1] == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"]) == TEXT


def test_a_wrong_key_is_refused_and_nothing_is_sent(gateway: Gateway, server: RecordingServer) -> None:
    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="sk-wrong", max_retries=0)

    # A proxy without a database cannot look a key up, and says so with 400; with one it is 401.
    with pytest.raises((openai.AuthenticationError, openai.BadRequestError)):
        client.chat.completions.create(model="lexiq-nova-chat", messages=MESSAGES)
    assert server.take() == []


def test_what_no_client_may_set_is_refused_in_words(gateway: Gateway, server: RecordingServer) -> None:
    """How vLLM is started on the proxy's machine, for one."""
    with gateway.client() as client:
        body = {"model": "lexiq-nova-local", "messages": MESSAGES, "engine_args": {"seed": 1}}
        refused = client.post("/v1/chat/completions", json=body)
    assert 400 <= refused.status_code < 500
    assert "engine_args is not allowed" in refused.text
    assert server.take() == []
