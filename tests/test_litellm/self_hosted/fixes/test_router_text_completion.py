"""A Router's text completion reaches the model of one of its deployments, synchronous or not, streamed or not."""

import asyncio
from typing import Any

import pytest

import litellm
from support.recording import RecordingServer, Response, streamed
from support.vllm_answers import text

ANSWER = text("one", "stop")


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
async def test_it_reaches_its_deployment(
    server: RecordingServer, to: dict[str, Any], asynchronous: bool, stream: bool
) -> None:
    server.responder = lambda request: streamed(ANSWER) if stream else Response(json=ANSWER)
    deployment = {"model_name": "nova", "litellm_params": {**to, "timeout": 30}, "model_info": {"id": "the-one"}}
    router = litellm.Router(model_list=[deployment])
    call = {"model": "nova", "prompt": "Count.", "stream": stream}

    async def asked() -> list[Any]:
        answer = await router.atext_completion(**call)
        return [each async for each in answer] if stream else [answer]

    def asked_in_thread() -> list[Any]:
        answer = router.text_completion(**call)
        return list(answer) if stream else [answer]

    answers = await asked() if asynchronous else await asyncio.to_thread(asked_in_thread)
    assert "".join(each.choices[0].text or "" for each in answers) == "one"
    [request] = server.take()
    assert request.path == "/v1/completions"
    assert request.json()["model"] == "m"
    assert request.header("authorization") == "Bearer key"


def test_an_unknown_name_is_refused(server: RecordingServer, to: dict[str, Any]) -> None:
    router = litellm.Router(model_list=[{"model_name": "nova", "litellm_params": to}])
    with pytest.raises(litellm.BadRequestError, match="other"):
        router.text_completion(model="other", prompt="Count.")
    assert not server.take()
