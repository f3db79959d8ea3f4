"""A key is sent as it is meant or not at all, and shown nowhere."""

import asyncio
import logging
import traceback
from typing import Any

import pytest
from edges.calls import EVERY_WAY, KEY, PROVIDERS, STREAMED, ask, base

import litellm
from litellm.llms.remodlai import keys
from support.recording import RecordingServer, Request, Response, sse

every_way = pytest.mark.parametrize(("name", "is_async", "streamed"), EVERY_WAY)
every_provider = pytest.mark.parametrize("provider", PROVIDERS)
UNSENDABLE = (
    "sk-se cret",
    "sk-se\ncret",
    "sk-se\r\nX-Admin: 1",
    "sk-sécret",
    "sk-\u4f60\u597d",
    "sk-se\0cret",
    "sk-se\tcret",
)


@every_way
@every_provider
def test_what_no_header_can_carry_is_not_sent(
    server: RecordingServer, provider: str, name: str, is_async: bool, streamed: bool
) -> None:
    with pytest.raises(Exception, match="the API key has a space") as caught:
        ask(name, provider, is_async, streamed, api_base=base(server), api_key="sk-se\ncret")
    assert "se\\ncret" not in repr(caught.value) and "cret" not in str(caught.value)
    assert caught.value.__class__.__module__.startswith("litellm")
    assert server.requests == []


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("key", UNSENDABLE)
def test_every_such_key_is_refused(server: RecordingServer, key: str, is_async: bool) -> None:
    with pytest.raises(Exception, match="the API key has a space"):
        ask("completion", "remodlai", is_async, api_base=base(server), api_key=key)
    assert server.requests == []


@every_way
def test_white_space_around_a_key_is_not_part_of_it(
    server: RecordingServer, name: str, is_async: bool, streamed: bool
) -> None:
    with pytest.raises(Exception):  # noqa: B017  # of any class that LiteLLM has for status 400
        ask(name, "remodlai", is_async, streamed, api_base=base(server), api_key=f" {KEY}\r\n")
    assert [request.header("authorization") for request in server.take()] == [f"Bearer {KEY}"]


def test_a_key_of_the_environment_too(server: RecordingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMODLAI_API_KEY", f"{KEY}\n")
    with pytest.raises(litellm.BadRequestError, match="refused"):
        ask("completion", "remodlai", api_base=base(server), api_key=None)
    assert server.take()[0].header("authorization") == f"Bearer {KEY}"


@every_way
def test_a_key_that_the_server_repeats_is_hidden(
    server: RecordingServer, name: str, is_async: bool, streamed: bool
) -> None:
    error = {"error": {"message": f"Incorrect API key provided: {KEY}.", "type": "invalid_request_error"}}
    server.responder = lambda request: Response(401, json=error, headers={"x-key": KEY})
    with pytest.raises(Exception) as caught:  # of any class that LiteLLM has for status 401
        ask(name, "remodlai", is_async, streamed, api_base=base(server))
    assert KEY not in f"{caught.value!r} {caught.value}"
    assert KEY not in repr(getattr(caught.value, "litellm_response_headers", None))


def breaks_off(request: Request) -> Response:
    """A stream whose second event is an error that repeats the key."""
    refusal = {"message": f"Incorrect API key provided: {KEY}.", "type": "invalid_request_error", "code": 401}
    start = {"id": "c", "created": 1, "model": "m"}
    if request.path.endswith("/responses"):
        events = [{**refusal, "type": "error", "sequence_number": 1, "param": None}]
    elif request.path.endswith("/chat/completions"):
        delta = {"role": "assistant", "content": "a"}
        chunk = {**start, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta}]}
        events = [chunk, {"error": refusal}]
    else:
        chunk = {**start, "object": "text_completion", "choices": [{"index": 0, "text": "a", "finish_reason": None}]}
        events = [chunk, {"error": refusal}]
    return Response(headers={"content-type": "text/event-stream"}, chunks=sse(*events))


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("name", STREAMED)
def test_a_key_that_a_running_stream_repeats_is_hidden(
    server: RecordingServer, name: str, is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """In the error, in each that it came from, and in what is logged of it."""
    server.responder = breaks_off
    caplog.set_level(logging.INFO)
    try:
        shown = repr(ask(name, "remodlai", is_async, streamed=True, api_base=base(server)))
    except Exception as error:  # of any class: an Anthropic stream ends with an event instead
        shown = "".join(traceback.format_exception(error))
    assert "*" * len(KEY) in shown
    assert KEY not in shown + caplog.text


def test_few_keys_are_kept() -> None:
    for number in range(2 * keys.MAX_KEYS):
        keys.remember(f"sk-number-{number}")
    assert len(keys._used) == keys.MAX_KEYS
    assert keys.hidden(f"sk-number-{2 * keys.MAX_KEYS - 1}!") == "*" * len(f"sk-number-{2 * keys.MAX_KEYS - 1}") + "!"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"hf_token": "hf_SECRET", "max_model_len": 8}, {"hf_token": "****", "max_model_len": 8}),
        ({"hf-token": True, "max_num_batched_tokens": 9}, {"hf-token": "****", "max_num_batched_tokens": 9}),
        ("--hf-token hf_SECRET --max-model-len 8", "--hf-token **** --max-model-len 8"),
        ("--hf-token=hf_SECRET --tokenizer a/b", "--hf-token=**** --tokenizer a/b"),
        ('--hf_token "hf SECRET" -tp 2', "--hf_token **** -tp 2"),
        ('{"hf_token": "hf_SECRET", "dtype": "half"}', '{"hf_token": "****", "dtype": "half"}'),
        ('{"hf_token": "hf_SECRET", "dtype": half}', '{"hf_token": ****, "dtype": half}'),
        (
            ["--hf-token", "hf_SECRET", "-tp", 2, "--hf-token=hf_SECRET"],
            ["--hf-token", "****", "-tp", 2, "--hf-token=****"],
        ),
        ({"env": {"HF_TOKEN": "hf_SECRET", "OMP_NUM_THREADS": 2}}, {"env": {"HF_TOKEN": "****", "OMP_NUM_THREADS": 2}}),
        ("""--env '{"HF_TOKEN": "hf_SECRET"}' -tp 2""", '--env {"HF_TOKEN": "****"} -tp 2'),
        (r'--env "{\"HF_TOKEN\": \"hf_SECRET\"}"', '--env {"HF_TOKEN": "****"}'),
        (r'{"env": "{\"HF_TOKEN\": \"hf_SECRET\"}"}', r'{"env": "{\"HF_TOKEN\": \"****\"}"}'),
        (None, None),
    ],
)
def test_secret_engine_options_are_not_shown(given: Any, expected: Any) -> None:
    params = {"model": "lexiq_nova/m", "engine_args": given}
    assert keys.without_secrets(params) == {"model": "lexiq_nova/m", "engine_args": expected}
    assert params["engine_args"] == given


def test_neither_does_the_proxy_show_them() -> None:
    from litellm.proxy.common_utils.openai_endpoint_utils import remove_sensitive_info_from_deployment

    for options in ({"hf_token": "hf_SECRET"}, "--hf-token hf_SECRET"):
        deployment = {"litellm_params": {"model": "lexiq_nova/m", "engine_args": options}}
        assert "SECRET" not in repr(remove_sensitive_info_from_deployment(deployment))
        assert "CRET" not in repr(remove_sensitive_info_from_deployment(deployment))


def test_awaited_calls_at_once_hide_each_others_keys(server: RecordingServer) -> None:
    server.responder = lambda request: Response(
        401, json={"error": {"message": f"wrong key {request.header('authorization')}"}}
    )

    async def all_at_once() -> list[BaseException]:
        calls = (
            litellm.acompletion(
                "remodlai/m",
                [{"role": "user", "content": "a"}],
                api_base=base(server),
                api_key=f"sk-of-{n}-user",
                max_retries=0,
            )
            for n in range(8)
        )
        return await asyncio.gather(*calls, return_exceptions=True)

    for error in asyncio.run(all_at_once()):
        assert isinstance(error, litellm.AuthenticationError)
        assert "sk-of-" not in str(error)
