"""Every endpoint of a model that is served by an engine which starts itself; one model makes room for the next."""

import asyncio
import json
import subprocess
from pathlib import Path

from local.engines import engine, model, pid

import litellm
from litellm.llms.remodlai.engine import running_engines

CHAT_ARGS = {
    "max_model_len": 2048,
    "enforce_eager": True,
    "enable_auto_tool_choice": True,
    "tool_call_parser": "hermes",
}
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer", "maximum": 99}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


def test_chat_streaming_tools_and_structured_output() -> None:
    options = {"model": model("smollm2"), "engine_args": CHAT_ARGS, "temperature": 0, "max_tokens": 64}
    answer = litellm.completion(messages=QUESTION, **options)
    assert "Paris" in answer.choices[0].message.content
    stream = litellm.completion(messages=QUESTION, stream=True, **options)
    assert "Paris" in "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    called = litellm.completion(messages=QUESTION, tools=[WEATHER], tool_choice="required", **options)
    assert called.choices[0].message.tool_calls[0].function.name == "weather"
    form = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON, "strict": True}}
    person = litellm.completion(messages=QUESTION, response_format=form, **options)
    assert set(json.loads(person.choices[0].message.content)) == {"name", "age"}


def test_embeddings_and_rerank() -> None:
    options = {"model": model("minilm"), "engine_args": {}}
    vectors = litellm.embedding(input=["one", "two"], **options).data
    assert [len(vector["embedding"]) for vector in vectors] == [384, 384]
    assert asyncio.run(litellm.aembedding(input="one", **options)).data[0]["embedding"]
    documents = ["Interest rates rose.", "Paris is the capital of France.", "A cat sleeps."]
    ranked = litellm.rerank(query="What is the capital of France?", documents=documents, top_n=1, **options)
    assert [result["index"] for result in ranked.results] == [1]
    assert [running.model for running in running_engines()] == [engine("minilm", {}).model]  # the chat model made room


def test_transcription(tmp_path: Path) -> None:
    speech = tmp_path / "speech.wav"
    subprocess.run(["espeak-ng", "-v", "en-gb", "-w", str(speech), "The meeting starts on Monday."], check=True)
    options = {"model": model("whisper"), "engine_args": {"enforce_eager": True}, "language": "en"}
    with speech.open("rb") as file:
        assert "meeting" in litellm.transcription(file=file, **options).text
    asynchronous = litellm.atranscription(file=("speech.wav", speech.read_bytes(), "audio/wav"), **options)
    assert "Monday" in asyncio.run(asynchronous).text
    assert pid(engine("whisper", {"enforce_eager": True}))
