"""Every endpoint of a model that is served by an engine which starts itself, and how engines make room for others."""

import asyncio
import json
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from local.engines import MESSAGES, engine, model, pid, status

import litellm
from litellm.llms.remodlai.engine.engine import running_engines
from support.waiting import eventually

CHAT_ARGS = {
    "max_model_len": 2048,
    "dtype": "float32",  # in bfloat16 it says other words on another processor
    "enable_auto_tool_choice": True,
    "tool_call_parser": "hermes",
    "tool_strict_level": "parameter",  # a model this small gets a tool's arguments wrong unless held to them
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


def up() -> set[str]:
    return {Path(running.model).name for running in running_engines()}


def test_chat_streaming_tools_and_structured_output() -> None:
    options = {"model": model("smollm2"), "engine_args": CHAT_ARGS, "temperature": 0, "max_tokens": 64}
    telling = {**options, "engine_args": {**CHAT_ARGS, "progress_chunks": True}}
    deltas = [chunk.choices[0].delta for chunk in litellm.completion(messages=QUESTION, stream=True, **telling)]
    assert "Paris" in "".join(delta.content or "" for delta in deltas)
    told = "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas)
    stages = [line.partition(": ")[2].partition(" (")[0] for line in told.splitlines()]
    assert {"starting vLLM", "warming up"} <= set(stages) and stages[-1].startswith("ready after")
    answer = litellm.completion(messages=QUESTION, **options)
    assert "Paris" in answer.choices[0].message.content
    called = litellm.completion(messages=QUESTION, tools=[WEATHER], tool_choice="required", **options)
    assert called.choices[0].message.tool_calls[0].function.name == "weather"
    form = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON, "strict": True}}
    person = litellm.completion(messages=QUESTION, response_format=form, **options)
    assert set(json.loads(person.choices[0].message.content)) == {"name", "age"}


@pytest.fixture(scope="module")
def long_answer() -> Iterator[Iterator[Any]]:
    """A stream of SmolLM2's that nobody reads: more than a socket holds, so its engine is answering all the while."""
    stream = litellm.completion(
        model("smollm2"),
        MESSAGES,
        engine_args=CHAT_ARGS,
        stream=True,
        max_tokens=1900,
        logprobs=True,
        top_logprobs=20,
        extra_body={"ignore_eos": True},
    )
    chunks = iter(stream)
    next(chunks)
    yield chunks
    stream.close()


@pytest.fixture
def python_without_litellm(tmp_path: Path) -> Path:
    """The interpreter of another environment that has vLLM, and not LiteLLM."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "other"], check=True)
    python = tmp_path / "other/bin/python"
    [site] = python.parent.parent.glob("lib/python*/site-packages")
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        if "litellm" not in package.name:
            (site / package.name).symlink_to(package)
    assert subprocess.run([python, "-c", "import litellm"], cwd=tmp_path, capture_output=True).returncode
    return python


def test_embeddings_and_rerank_by_vllm_of_another_environment(
    long_answer: Iterator[Any], python_without_litellm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEXIQ_NOVA_MAX_ENGINES", "2")
    monkeypatch.setenv("LEXIQ_NOVA_PYTHON", str(python_without_litellm))
    options = {"model": model("minilm")}
    vectors = litellm.embedding(input=["one", "two"], **options).data
    assert [len(vector["embedding"]) for vector in vectors] == [384, 384]
    assert asyncio.run(litellm.aembedding(input="one", **options)).data[0]["embedding"]
    documents = ["Interest rates rose.", "Paris is the capital of France.", "A cat sleeps."]
    ranked = litellm.rerank(query="What is the capital of France?", documents=documents, top_n=1, **options)
    assert [result["index"] for result in ranked.results] == [1]
    asynchronous = litellm.arerank(query="What sleeps?", documents=documents, top_n=1, **options)
    assert [result["index"] for result in asyncio.run(asynchronous).results] == [2]
    assert Path(f"/proc/{pid(engine('minilm', {}))}/cmdline").read_text().startswith(str(python_without_litellm))
    assert up() == {"smollm2", "minilm"}


def test_transcription_makes_room_where_nobody_waits_and_leaves_when_idle(
    long_answer: Iterator[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEXIQ_NOVA_MAX_ENGINES", "2")
    monkeypatch.setenv("LEXIQ_NOVA_KEEP_ALIVE", "4")
    speech = tmp_path / "speech.wav"
    subprocess.run(["espeak-ng", "-v", "en-gb", "-w", str(speech), "The meeting starts on Monday."], check=True)
    options = {"model": model("whisper"), "language": "en"}
    with speech.open("rb") as file:
        assert "meeting" in litellm.transcription(file=file, **options).text
    # MiniLM was used more lately than SmolLM2, which has been answering since before that.
    assert up() == {"smollm2", "whisper"}
    asynchronous = litellm.atranscription(file=("speech.wav", speech.read_bytes(), "audio/wav"), **options)
    assert "Monday" in asyncio.run(asynchronous).text
    eventually(lambda: up() == {"smollm2"}, 30)
    assert (status(engine("smollm2", CHAT_ARGS)) or {})["running"] == 1
    assert next(long_answer).choices
