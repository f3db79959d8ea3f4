"""Chat and text completion of the hosted provider against a real vLLM that serves SmolLM2."""

import asyncio
import json
import socket
import traceback
from collections.abc import Iterator

import pytest
from engine.hosted import PREFIX, to

import litellm
from support.vllm_server import ENDLESS, VLLMServer
from support.waiting import eventually

FRANCE = [{"role": "user", "content": "What is the capital of France?"}]
ANSWER = "The capital of France is Paris."
WEATHER_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "maxLength": 20}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "age": {"type": "integer", "minimum": 0, "maximum": 99},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
}


def text_of(stream: list) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def endless(server: VLLMServer) -> dict:
    return {
        **to(server),
        "messages": [{"role": "user", "content": "Tell a long story."}],
        "stream": True,
        "max_tokens": ENDLESS,
        "extra_body": {"ignore_eos": True},
    }


@pytest.mark.parametrize("path", ["/v1", "/v1/", "", "/"])
def test_plain(chat_server: VLLMServer, path: str) -> None:
    answer = litellm.completion(messages=FRANCE, temperature=0, max_tokens=20, **to(chat_server, path))

    assert answer.choices[0].message.content == ANSWER
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == chat_server.model or answer.model == f"{PREFIX}/{chat_server.model}"
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_streamed(chat_server: VLLMServer) -> None:
    chunks = list(
        litellm.completion(
            messages=FRANCE,
            temperature=0,
            max_tokens=20,
            stream=True,
            stream_options={"include_usage": True},
            **to(chat_server),
        )
    )

    assert len(chunks) > 5
    assert text_of(chunks) == ANSWER
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == ["stop"]
    usages = [chunk.usage for chunk in chunks if getattr(chunk, "usage", None)]
    assert [usage.completion_tokens > 0 for usage in usages] == [True]


async def test_async(chat_server: VLLMServer) -> None:
    answers = await asyncio.gather(
        *(litellm.acompletion(messages=FRANCE, temperature=0, max_tokens=20, **to(chat_server)) for _ in range(4))
    )

    assert [answer.choices[0].message.content for answer in answers] == [ANSWER] * 4


async def test_async_streamed(chat_server: VLLMServer) -> None:
    stream = await litellm.acompletion(messages=FRANCE, temperature=0, max_tokens=20, stream=True, **to(chat_server))

    assert text_of([chunk async for chunk in stream]) == ANSWER


def test_bare_model_with_custom_llm_provider(chat_server: VLLMServer) -> None:
    call = {**to(chat_server), "model": chat_server.model}

    answer = litellm.completion(messages=FRANCE, temperature=0, max_tokens=20, custom_llm_provider=PREFIX, **call)

    assert answer.choices[0].message.content == ANSWER


def test_tool_call(chat_server: VLLMServer) -> None:
    answer = litellm.completion(
        messages=[{"role": "user", "content": "What is the weather in Paris?"}],
        tools=[WEATHER_TOOL],
        tool_choice="required",
        temperature=0,
        max_tokens=100,
        **to(chat_server),
    )

    calls = answer.choices[0].message.tool_calls
    assert calls
    assert calls[0].id
    assert {call.function.name for call in calls} == {"get_weather"}
    assert set(json.loads(calls[0].function.arguments)) == {"city"}


def test_tool_call_streamed(chat_server: VLLMServer) -> None:
    chunks = list(
        litellm.completion(
            messages=[{"role": "user", "content": "What is the weather in Paris?"}],
            tools=[WEATHER_TOOL],
            tool_choice={"type": "function", "function": {"name": "get_weather"}},
            temperature=0,
            max_tokens=100,
            stream=True,
            **to(chat_server),
        )
    )

    rebuilt = litellm.stream_chunk_builder(chunks)
    (call,) = rebuilt.choices[0].message.tool_calls
    assert call.function.name == "get_weather"
    assert set(json.loads(call.function.arguments)) == {"city"}


def test_tool_result(chat_server: VLLMServer) -> None:
    def answer(result: str) -> litellm.ModelResponse:
        call = {
            "id": "call_1",
            "type": "function",
            "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'},
        }
        return litellm.completion(
            messages=[
                {"role": "user", "content": "What is the weather in Paris?"},
                {"role": "assistant", "content": "", "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "call_1", "content": result},
            ],
            tools=[WEATHER_TOOL],
            tool_choice="none",
            max_tokens=5,
            **to(chat_server),
        )

    short, long = answer("Sunny."), answer("Sunny. " * 20)
    assert not short.choices[0].message.tool_calls
    assert short.choices[0].message.content
    # The template shows the model a tool's result as it came.
    assert long.usage.prompt_tokens >= short.usage.prompt_tokens + 19


def test_json_schema(chat_server: VLLMServer) -> None:
    answer = litellm.completion(
        messages=[{"role": "user", "content": "Invent a person."}],
        response_format={"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON, "strict": True}},
        temperature=0,
        max_tokens=60,
        **to(chat_server),
    )

    person = json.loads(answer.choices[0].message.content)
    assert set(person) == {"name", "age"}
    assert isinstance(person["age"], int)


def test_logprobs(chat_server: VLLMServer) -> None:
    answer = litellm.completion(
        messages=FRANCE, temperature=0, max_tokens=5, logprobs=True, top_logprobs=3, **to(chat_server)
    )

    tokens = answer.choices[0].logprobs.content
    assert len(tokens) == 5
    assert "".join(token.token for token in tokens) == answer.choices[0].message.content
    assert all(len(token.top_logprobs) == 3 and token.logprob <= 0 for token in tokens)


def test_several_choices(chat_server: VLLMServer) -> None:
    answer = litellm.completion(messages=FRANCE, n=3, temperature=1, max_tokens=10, **to(chat_server))

    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert all(choice.message.content for choice in answer.choices)


@pytest.mark.parametrize("stop", ["France", ["Berlin", "France"]])
def test_stop(chat_server: VLLMServer, stop: str | list[str]) -> None:
    answer = litellm.completion(messages=FRANCE, temperature=0, max_tokens=20, stop=stop, **to(chat_server))

    assert answer.choices[0].message.content.strip() == "The capital of"
    assert answer.choices[0].finish_reason == "stop"


def test_max_tokens_is_the_end(chat_server: VLLMServer) -> None:
    answer = litellm.completion(messages=FRANCE, temperature=0, max_tokens=3, **to(chat_server))

    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 3


def test_seed(chat_server: VLLMServer) -> None:
    def story(seed: int) -> str:
        answer = litellm.completion(
            messages=[{"role": "user", "content": "Tell a story."}],
            temperature=1,
            seed=seed,
            max_tokens=20,
            **to(chat_server),
        )
        return answer.choices[0].message.content

    assert story(1) == story(1)
    assert len({story(seed) for seed in range(1, 4)}) > 1


def test_extra_body_top_k(chat_server: VLLMServer) -> None:
    # With one candidate per token even a high temperature leaves nothing to choose.
    answer = litellm.completion(
        messages=FRANCE, temperature=2, max_tokens=20, extra_body={"top_k": 1}, **to(chat_server)
    )

    assert answer.choices[0].message.content == ANSWER


def test_extra_body_chat_template_kwargs(chat_server: VLLMServer) -> None:
    def prompt_tokens(words: str) -> int:
        body = {"chat_template": "{{ messages[0].content }}{{ words }}", "chat_template_kwargs": {"words": words}}
        answer = litellm.completion(messages=FRANCE, max_tokens=1, extra_body=body, **to(chat_server))
        return answer.usage.prompt_tokens

    assert prompt_tokens(" one two three four") == prompt_tokens(" one") + 3


def test_extra_body_structured_outputs(chat_server: VLLMServer) -> None:
    answer = litellm.completion(
        messages=[{"role": "user", "content": "I like it. Is that good or bad?"}],
        max_tokens=10,
        extra_body={"structured_outputs": {"choice": ["positive", "negative"]}},
        **to(chat_server),
    )

    assert answer.choices[0].message.content in {"positive", "negative"}


def test_text_completion(chat_server: VLLMServer) -> None:
    answer = litellm.text_completion(prompt="The capital of France is", temperature=0, max_tokens=3, **to(chat_server))

    assert "Paris" in answer.choices[0].text
    assert answer.usage.completion_tokens == 3


def test_text_completion_streamed(chat_server: VLLMServer) -> None:
    stream = litellm.text_completion(
        prompt="The capital of France is", temperature=0, max_tokens=3, stream=True, **to(chat_server)
    )

    assert "Paris" in "".join(chunk.choices[0].text or "" for chunk in stream if chunk.choices)


async def test_async_text_completion(chat_server: VLLMServer) -> None:
    answer = await litellm.atext_completion(
        prompt="The capital of France is", temperature=0, max_tokens=3, **to(chat_server)
    )

    assert "Paris" in answer.choices[0].text


FAILURES = {
    "too long": ({"messages": [{"role": "user", "content": "word " * 4000}]}, litellm.ContextWindowExceededError, 400),
    "unknown model": ({"model": f"{PREFIX}/nobody/knows-it"}, litellm.NotFoundError, 404),
    "wrong key": ({"api_key": "sk-wrong-4711"}, litellm.AuthenticationError, 401),
    "bad parameter": ({"top_p": 7}, litellm.BadRequestError, 400),
}


async def failure(server: VLLMServer, change: dict, how: str) -> Exception:
    """The exception of a call with something wrong in it, made in one of the four ways."""
    call = {"messages": FRANCE, "max_tokens": 5, **to(server), **change, "stream": "stream" in how}
    with pytest.raises(Exception) as caught:  # its class is what the tests look at
        if "async" in how:
            answer = await litellm.acompletion(**call)
            if call["stream"]:
                [chunk async for chunk in answer]
        else:
            answer = litellm.completion(**call)
            if call["stream"]:
                list(answer)
    return caught.value


@pytest.mark.parametrize("how", ["sync", "sync stream", "async", "async stream"])
@pytest.mark.parametrize("what", FAILURES)
async def test_errors_are_of_their_class(chat_server: VLLMServer, what: str, how: str) -> None:
    change, expected, status = FAILURES[what]

    error = await failure(chat_server, change, how)

    assert type(error) is expected
    assert error.status_code == status
    assert error.llm_provider == PREFIX
    told = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    assert chat_server.key not in told
    assert "sk-wrong-4711" not in told


async def test_cancelled_stream_ends_the_generation(chat_server: VLLMServer, stopped_early: None) -> None:
    first = asyncio.Event()

    async def read() -> None:
        async for _ in await litellm.acompletion(**endless(chat_server)):
            first.set()

    task = asyncio.create_task(read())
    await first.wait()
    assert await asyncio.to_thread(chat_server.running) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(eventually, lambda: chat_server.running() == 0)


async def test_async_stream_closed_early_ends_the_generation(chat_server: VLLMServer, stopped_early: None) -> None:
    stream = await litellm.acompletion(**endless(chat_server))
    await anext(stream)
    assert await asyncio.to_thread(chat_server.running) == 1
    await stream.aclose()
    await asyncio.to_thread(eventually, lambda: chat_server.running() == 0)


def test_sync_stream_closed_early_ends_the_generation(chat_server: VLLMServer, stopped_early: None) -> None:
    stream = litellm.completion(**endless(chat_server))
    next(stream)
    assert chat_server.running() == 1
    stream.close()
    eventually(lambda: chat_server.running() == 0)  # while the stream is still held


def test_sync_stream_dropped_ends_the_generation(chat_server: VLLMServer, stopped_early: None) -> None:
    stream = litellm.completion(**endless(chat_server))
    next(stream)
    assert chat_server.running() == 1
    del stream


async def test_cancelled_plain_call_ends_the_generation(chat_server: VLLMServer, stopped_early: None) -> None:
    task = asyncio.create_task(litellm.acompletion(**{**endless(chat_server), "stream": False}))
    await asyncio.to_thread(eventually, lambda: chat_server.running() == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(eventually, lambda: chat_server.running() == 0)


@pytest.fixture
def router(chat_server: VLLMServer) -> Iterator[litellm.Router]:
    """One model name, two deployments: nobody listens at the one that is tried first."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        gone = {**to(chat_server), "api_base": f"http://127.0.0.1:{closed.getsockname()[1]}/v1"}
        yield litellm.Router(
            model_list=[
                {"model_name": "chat", "litellm_params": {**gone, "order": 1}, "model_info": {"id": "gone"}},
                {"model_name": "chat", "litellm_params": {**to(chat_server), "order": 2}, "model_info": {"id": "up"}},
            ],
            num_retries=3,
            retry_after=0,
            allowed_fails=0,
        )


def test_router_retries_elsewhere(router: litellm.Router) -> None:
    answer = router.completion(model="chat", messages=FRANCE, temperature=0, max_tokens=20)

    assert answer.choices[0].message.content == ANSWER
    assert answer._hidden_params["model_id"] == "up"


async def test_router_async_and_streamed(router: litellm.Router) -> None:
    stream = await router.acompletion(model="chat", messages=FRANCE, temperature=0, max_tokens=20, stream=True)

    assert text_of([chunk async for chunk in stream]) == ANSWER
