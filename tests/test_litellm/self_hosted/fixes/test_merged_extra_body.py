"""The extra bodies of a deployment and of a call that it serves are one, and the call's values win."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import litellm
from support.recording import RecordingServer, Request, Response
from support.vllm_answers import USER, chat, refusal

UNCONCERNED = {"model", "messages", "stream"}
OF_DEPLOYMENT = {"chat_template_kwargs": {"enable_thinking": False}, "top_k": 5}
VECTOR = {"object": "list", "model": "m", "data": [], "usage": {"prompt_tokens": 1, "total_tokens": 1}}


def router(*deployments: dict[str, Any]) -> litellm.Router:
    models = [{"model_name": f"n{n}", "litellm_params": params} for n, params in enumerate(deployments)]
    return litellm.Router(model_list=models, num_retries=0, fallbacks=[{"n0": ["n1"]}] if len(models) > 1 else [])


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Callable[..., Awaitable[Any]]:
    async def asked(over: litellm.Router, **more: Any) -> Any:
        if request.param == "sync":
            return over.completion(model="n0", messages=USER, **more)
        return await over.acompletion(model="n0", messages=USER, **more)

    return asked


@pytest.mark.parametrize(
    ("more", "sent"),
    [
        ({}, OF_DEPLOYMENT),
        ({"top_k": 7}, {**OF_DEPLOYMENT, "top_k": 7}),
        ({"extra_body": {"min_p": 0.1}}, {**OF_DEPLOYMENT, "min_p": 0.1}),
        ({"extra_body": {"top_k": 7}}, {**OF_DEPLOYMENT, "top_k": 7}),
        (
            {"chat_template_kwargs": {"tone": "dry"}},
            {"chat_template_kwargs": {"enable_thinking": False, "tone": "dry"}, "top_k": 5},
        ),
        (
            {"extra_body": {"chat_template_kwargs": {"enable_thinking": True, "tone": "dry"}}},
            {"chat_template_kwargs": {"enable_thinking": True, "tone": "dry"}, "top_k": 5},
        ),
    ],
)
@pytest.mark.parametrize("beside", [False, True], ids=["in its extra body", "beside it"])
async def test_key_by_key(
    server: RecordingServer,
    to: dict[str, Any],
    ask: Callable[..., Awaitable[Any]],
    more: dict[str, Any],
    sent: dict[str, Any],
    beside: bool,
) -> None:
    server.responder = lambda request: Response(json=chat())
    one = router({**to, **(OF_DEPLOYMENT if beside else {"extra_body": OF_DEPLOYMENT})})
    await ask(one, **more)
    await ask(one)
    first, second = (request.json() for request in server.take())
    assert {key: first[key] for key in first.keys() - UNCONCERNED} == sent
    assert {key: second[key] for key in second.keys() - UNCONCERNED} == OF_DEPLOYMENT, "a call leaked"


def busy_first(request: Request) -> Response:
    return refusal("busy", 503) if request.json()["model"] == "m" else Response(json=chat())


async def test_a_fallback_gets_its_own(
    server: RecordingServer, to: dict[str, Any], ask: Callable[..., Awaitable[Any]]
) -> None:
    server.responder = busy_first
    second = {**to, "model": f"{to['model']}2", "extra_body": {"min_p": 0.1}}
    await ask(router({**to, "extra_body": OF_DEPLOYMENT}, second), extra_body={"seed": 1})
    body = server.take()[-1].json()
    assert {key: body[key] for key in body.keys() - UNCONCERNED} == {"min_p": 0.1, "seed": 1}


async def test_other_endpoints(server: RecordingServer, to: dict[str, Any]) -> None:
    server.responder = lambda request: Response(json=VECTOR)
    one = router({**to, "extra_body": {"priority": 1, "truncate_prompt_tokens": 5}})
    one.embedding(model="n0", input="a", extra_body={"priority": 2})
    await one.aembedding(model="n0", input="a", extra_body={"priority": 2})
    for request in server.take():
        assert {"priority": 2, "truncate_prompt_tokens": 5}.items() <= request.json().items()


def test_a_call_without_a_router(server: RecordingServer, to: dict[str, Any]) -> None:
    server.responder = lambda request: Response(json=chat())
    given = {"chat_template_kwargs": {"enable_thinking": False}}
    litellm.completion(messages=USER, extra_body=given, chat_template_kwargs={"tone": "dry"}, **to)
    assert server.take()[-1].json()["chat_template_kwargs"] == {"enable_thinking": False, "tone": "dry"}
    assert given == {"chat_template_kwargs": {"enable_thinking": False}}


async def test_what_stands_beside_a_call_s_extra_body_wins_over_it(
    server: RecordingServer, to: dict[str, Any], ask: Callable[..., Awaitable[Any]]
) -> None:
    """As without a Router, and for the next deployment too."""

    server.responder = busy_first
    call = {"extra_body": {"top_k": 5, "min_p": 0.1}, "top_k": 3}
    await ask(router({**to, "top_k": 9}, {**to, "model": f"{to['model']}2", "min_p": 0.7}), **call)
    for request in server.take():
        assert {"top_k": 3, "min_p": 0.1}.items() <= request.json().items()
