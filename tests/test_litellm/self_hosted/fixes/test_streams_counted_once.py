"""A Router counts a synchronous stream as one call that succeeded, and not each of its chunks."""

from typing import Any

import pytest

import litellm
from litellm.router_utils.router_callbacks.track_deployment_metrics import get_deployment_successes_for_current_minute
from support.logger import RecordingLogger
from support.recording import RecordingServer, Response, streamed
from support.waiting import eventually

TEXTS = [f" {number}" for number in range(20)]


def chunk(kind: str, choice: dict[str, Any]) -> dict[str, Any]:
    return {"id": "a", "object": kind, "created": 1, "model": "m", "choices": [{"index": 0, **choice}]}


CALLS: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "completion": (
        {"messages": [{"role": "user", "content": "Count."}]},
        [chunk("chat.completion.chunk", {"delta": {"content": text}}) for text in TEXTS],
    ),
    "text_completion": (
        {"prompt": "Count."},
        [chunk("text_completion", {"text": text, "logprobs": None}) for text in TEXTS],
    ),
}


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("call", CALLS)
def test_one_call_is_one_success(
    server: RecordingServer, to: dict[str, Any], call: str, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for callbacks in ("success_callback", "_async_success_callback", "callbacks"):
        monkeypatch.setattr(litellm, callbacks, [])
    deployment = {"model_name": "nova", "litellm_params": to, "model_info": {"id": "the-one"}}
    router = litellm.Router(model_list=[deployment])
    logger = RecordingLogger()
    litellm.callbacks = [logger]
    arguments, chunks = CALLS[call]
    whole = {"delta": {"content": ""}, "message": {"role": "assistant", "content": "1"}, "text": "1"}
    server.responder = lambda request: streamed(*chunks) if stream else Response(json=chunk("chat.completion", whole))

    answer = getattr(router, call)(model="nova", stream=stream, **arguments)
    assert not stream or len(list(answer)) >= len(TEXTS)

    assert eventually(lambda: logger.heard)
    assert eventually(lambda: get_deployment_successes_for_current_minute(router, "the-one")) == 1
