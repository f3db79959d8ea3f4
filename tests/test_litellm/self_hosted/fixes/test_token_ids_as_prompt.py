"""A prompt of token ids reaches the server as it is."""

from typing import Any

import pytest

import litellm
from support.recording import RecordingServer, Response, streamed
from support.vllm_answers import text


def respond(server: RecordingServer, answer: dict[str, Any]) -> None:
    server.responder = lambda request: Response(json=answer)


@pytest.mark.parametrize("prompt", [[1, 2, 3], [[1, 2], [3]]])
async def test_token_ids_as_a_prompt(server: RecordingServer, to: dict[str, Any], prompt: Any) -> None:
    respond(server, text("Hi", "stop"))
    assert litellm.text_completion(prompt=prompt, **to).choices[0].text == "Hi"
    assert (await litellm.atext_completion(prompt=prompt, **to)).choices[0].text == "Hi"
    router = litellm.Router(model_list=[{"model_name": "a", "litellm_params": to}])
    assert (await router.atext_completion(model="a", prompt=prompt)).choices[0].text == "Hi"
    server.responder = lambda request: streamed(text("Hi"), text("", "stop"))
    assert [part.choices[0].text for part in litellm.text_completion(prompt=prompt, stream=True, **to)][0] == "Hi"
    assert [request.json()["prompt"] for request in server.take()] == [prompt] * 4
