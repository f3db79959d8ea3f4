"""What a deployment says of its model is known, and not sent."""

from typing import Any

import litellm
from support.recording import RecordingServer, Response
from support.vllm_answers import USER, chat, text


def respond(server: RecordingServer, answer: dict[str, Any]) -> None:
    server.responder = lambda request: Response(json=answer)


async def test_flags_about_a_model_are_not_sent(server: RecordingServer, to: dict[str, Any]) -> None:
    respond(server, chat())
    flags = {"supports_vision": True, "supports_function_calling": True}
    litellm.completion(messages=USER, **flags, **to)
    router = litellm.Router(model_list=[{"model_name": "a", "litellm_params": {**to, **flags}}])
    await router.acompletion(model="a", messages=USER)
    respond(server, {"object": "list", "model": "m", "data": [], "usage": {"prompt_tokens": 1, "total_tokens": 1}})
    litellm.embedding(input="a", **flags, **to)
    respond(server, text("Hi", "stop"))
    litellm.text_completion(prompt="a", **flags, **to)
    for request in server.take():
        assert not [name for name in request.json() if name.startswith("supports_")]


def test_flags_of_a_deployment_are_known(to: dict[str, Any]) -> None:
    own = {**to, "model": f"{to['model']}-that-calls"}
    assert not litellm.supports_function_calling(own["model"])
    litellm.Router(
        model_list=[{"model_name": "a", "litellm_params": own, "model_info": {"supports_function_calling": True}}]
    )
    assert litellm.supports_function_calling(own["model"])
