"""A deployment costs what its `base_model` costs."""

from typing import Any

import pytest

import litellm
from support.recording import RecordingServer, Response, streamed
from support.vllm_answers import USER, chat, chunk


@pytest.mark.parametrize("base_model", ["gpt-4o-mini", "deepseek/deepseek-chat"])
@pytest.mark.parametrize("stream", [False, True])
async def test_base_model_prices_a_deployment(
    server: RecordingServer, to: dict[str, Any], base_model: str, stream: bool
) -> None:
    end = {**chunk({}), "choices": [], "usage": chat()["usage"]}
    events = [chunk({"content": "Hi"}), chunk({}, "stop"), end]
    server.responder = lambda request: streamed(*events) if stream else Response(json=chat())
    prices = litellm.model_cost[base_model]
    expected = 10 * prices["input_cost_per_token"] + 8 * prices["output_cost_per_token"]
    own = {**to, "model": f"{to['model']}-{base_model[:3]}"}
    deployment = {"model_name": "a", "litellm_params": own, "model_info": {"base_model": base_model}}
    router = litellm.Router(model_list=[deployment])
    if not stream:
        answers = [router.completion(model="a", messages=USER), await router.acompletion(model="a", messages=USER)]
        for answer in answers:
            assert answer._hidden_params["response_cost"] == pytest.approx(expected)
        return
    parts = list(router.completion(model="a", messages=USER, stream=True, stream_options={"include_usage": True}))
    whole = litellm.stream_chunk_builder(parts)
    cost = litellm.completion_cost(whole, base_model=base_model, custom_llm_provider=to["model"].split("/")[0])
    assert cost == pytest.approx(expected)
