"""A Router counts a synchronous stream as one call that succeeded, and not each of its chunks."""

from typing import Any

import pytest

import litellm
from litellm.router_utils.router_callbacks.track_deployment_metrics import get_deployment_successes_for_current_minute
from support.logger import RecordingLogger
from support.recording import RecordingServer, Response, streamed
from support.vllm_answers import USER, chat, chunk, text
from support.waiting import eventually

TEXTS = [f" {number}" for number in range(20)]

# Arguments, the whole answer, its chunks.
CALLS = {
    "completion": ({"messages": USER}, chat(), [chunk({"content": each}) for each in TEXTS]),
    "text_completion": ({"prompt": "Count."}, text("Hi"), [text(each) for each in TEXTS]),
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
    arguments, whole, chunks = CALLS[call]
    server.responder = lambda request: streamed(*chunks) if stream else Response(json=whole)

    def successes() -> int:
        return get_deployment_successes_for_current_minute(router, "the-one")

    for number in (1, 2):  # LiteLLM has functions told from the second call of a process on
        answer = getattr(router, call)(model="nova", stream=stream, **arguments)
        assert not stream or len(list(answer)) >= len(TEXTS)
        assert eventually(lambda number=number: len(logger.heard) >= number and successes() >= number)
    assert successes() == 2
