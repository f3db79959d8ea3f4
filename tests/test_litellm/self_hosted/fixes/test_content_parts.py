"""Content parts reach the server as the caller wrote them; one that nobody knows is named."""

import copy
from typing import Any

import pytest

import litellm
from support.recording import RecordingServer, Response
from support.vllm_answers import chat


def respond(server: RecordingServer, answer: dict[str, Any]) -> None:
    server.responder = lambda request: Response(json=answer)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_embeds", "image_embeds": "AAAA"},
        {"type": "audio_embeds", "audio_embeds": "AAAA"},
        {"type": "video_url", "video_url": {"url": "http://127.0.0.1/a.mp4"}},
        {"image_url": "http://127.0.0.1/a.png"},
        {"audio_url": "http://127.0.0.1/a.wav"},
        {"video_url": "http://127.0.0.1/a.mp4", "uuid": "u"},
    ],
)
async def test_content_parts_of_vllm_pass(server: RecordingServer, to: dict[str, Any], part: dict[str, Any]) -> None:
    respond(server, chat())
    messages = [{"role": "user", "content": [{"type": "text", "text": "a"}, part]}]
    litellm.completion(messages=copy.deepcopy(messages), **to)
    list(litellm.completion(messages=copy.deepcopy(messages), stream=True, **to))
    await litellm.acompletion(messages=copy.deepcopy(messages), **to)
    for request in server.take():
        assert request.json()["messages"] == messages


async def test_a_content_part_that_nobody_knows_is_named(server: RecordingServer, to: dict[str, Any]) -> None:
    for part in ({"type": "hologram", "x": 1}, {"x": 1}):
        messages = [{"role": "user", "content": [part]}]
        with pytest.raises(litellm.BadRequestError, match=str(part.get("type"))):
            litellm.completion(messages=messages, **to)
        with pytest.raises(litellm.BadRequestError, match=str(part.get("type"))):
            await litellm.acompletion(messages=messages, **to)
    assert not server.take()
