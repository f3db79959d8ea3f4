"""Embeddings are the floats that the server has, whatever form of them it knows; anything else is an error."""

import base64
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from edges.calls import PROVIDERS, ask, base

import litellm
from litellm.llms.remodlai.embedding import floats
from support.recording import RecordingServer, Request, Response

VECTOR = [0.5, -1.0, 2.0, 0.25]
LARGE = ["a"] * 16
NAN, INFINITE = float("nan"), float("inf")
every_provider = pytest.mark.parametrize("provider", PROVIDERS)
either_way = pytest.mark.parametrize("is_async", [False, True])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingServer]:
    floats._floats_only.clear()
    with RecordingServer() as running:
        yield running


def packed(vector: list[float], form: str = "<f") -> str:
    return base64.b64encode(b"".join(struct.pack(form, number) for number in vector)).decode()


def answer(request: Request, of: Callable[[dict[str, Any]], Any]) -> Response:
    asked = request.json()
    data = [{"object": "embedding", "index": i, "embedding": of(asked)} for i in range(len(asked["input"]))]
    return Response(json={"object": "list", "model": "m", "data": data, "usage": {"prompt_tokens": 1}})


def serves(request: Request) -> Response:
    return answer(request, lambda asked: packed(VECTOR) if asked.get("encoding_format") == "base64" else VECTOR)


def got(response: Any) -> list[Any]:
    return [item["embedding"] for item in response.data]


def forms(server: RecordingServer) -> list[Any]:
    return [request.json().get("encoding_format") for request in server.take()]


@every_provider
@either_way
@pytest.mark.parametrize(
    ("more", "form"),
    [
        ({}, "base64"),
        ({"dimensions": 4}, "base64"),
        ({"encoding_format": "float"}, "float"),
        ({"encoding_format": None}, "base64"),
        ({"extra_body": {"encoding_format": None}}, "base64"),
        ({"embed_dtype": "float16"}, None),
        ({"endianness": "big"}, None),
        ({"extra_body": {"embed_dtype": "bfloat16"}}, None),
        ({"return_multivector": True}, None),
    ],
)
def test_base64_is_asked_for_only_where_it_is_the_same(
    server: RecordingServer, provider: str, is_async: bool, more: dict[str, Any], form: str | None
) -> None:
    server.responder = serves
    response = ask("embedding", provider, is_async, api_base=base(server), **{"input": LARGE, **more})
    assert got(response) == [VECTOR] * 16
    assert forms(server) == [form]


@every_provider
@either_way
@pytest.mark.parametrize("status", [400, 422])
def test_a_server_of_floats_is_asked_once_more_and_remembered(
    server: RecordingServer, provider: str, is_async: bool, status: int
) -> None:
    def floats_only(request: Request) -> Response:
        if request.json().get("encoding_format") not in (None, "float"):
            return Response(status, json={"detail": "no such format"})
        return answer(request, lambda asked: VECTOR)

    server.responder = floats_only
    for expected in (["base64", None], [None]):
        response = ask("embedding", provider, is_async, api_base=base(server), input=LARGE)
        assert got(response) == [VECTOR] * 16
        assert forms(server) == expected


@either_way
def test_a_request_that_is_wrong_in_any_form_keeps_the_servers_word(server: RecordingServer, is_async: bool) -> None:
    server.responder = lambda request: Response(400, json={"error": {"message": "the input is too long for me"}})
    for _ in range(2):
        with pytest.raises(litellm.BadRequestError, match="the input is too long for me"):
            ask("embedding", "remodlai", is_async, api_base=base(server), input=LARGE)
        assert forms(server) == ["base64", None]


@either_way
@pytest.mark.parametrize(
    "wrong", ["not base64!", "AAA=", packed(VECTOR)[:-4], "", [], None, packed([NAN]), packed([1.0, INFINITE])]
)
def test_an_answer_that_is_not_base64_of_floats_is_asked_for_again(
    server: RecordingServer, is_async: bool, wrong: object
) -> None:
    server.responder = lambda request: answer(
        request, lambda asked: wrong if asked.get("encoding_format") == "base64" else VECTOR
    )
    for expected in (["base64", None], [None]):
        response = ask("embedding", "remodlai", is_async, api_base=base(server), input=LARGE)
        assert got(response) == [VECTOR] * 16
        assert forms(server) == expected


@either_way
def test_vectors_of_another_length_than_asked_for_are_not_trusted(server: RecordingServer, is_async: bool) -> None:
    half = packed(VECTOR, "<e")  # 16-bit floats: half as many numbers, all of them finite
    server.responder = lambda request: answer(
        request, lambda asked: half if asked.get("encoding_format") == "base64" else VECTOR
    )
    response = ask("embedding", "remodlai", is_async, api_base=base(server), input=LARGE, dimensions=4)
    assert got(response) == [VECTOR] * 16


@either_way
def test_a_server_that_answers_floats_all_the_same_is_fine(server: RecordingServer, is_async: bool) -> None:
    server.responder = lambda request: answer(request, lambda asked: VECTOR)
    for _ in range(2):
        response = ask("embedding", "remodlai", is_async, api_base=base(server), input=LARGE)
        assert got(response) == [VECTOR] * 16
        assert forms(server) == ["base64"]


@every_provider
@either_way
@pytest.mark.parametrize("count", [1, 16])
@pytest.mark.parametrize(
    "wrong", [[], None, "text", [NAN], [1.0, INFINITE], ["1"], [1.0, None], [[1.0], []], [[1.0], [NAN]]]
)
def test_what_is_no_vector_is_an_error(
    server: RecordingServer, provider: str, is_async: bool, count: int, wrong: object
) -> None:
    server.responder = lambda request: answer(request, lambda asked: wrong)
    with pytest.raises(litellm.BadGatewayError, match="embeddings cannot be used"):
        ask("embedding", provider, is_async, api_base=base(server), input=["a"] * count)


def test_what_the_caller_asked_for_comes_as_it_is(server: RecordingServer) -> None:
    server.responder = serves
    response = ask("embedding", "remodlai", api_base=base(server), input=LARGE, encoding_format="base64")
    assert got(response) == [packed(VECTOR)] * 16


@either_way
@pytest.mark.parametrize("form", [["float"], 4, {"a": 1}])
def test_a_format_that_is_no_text_is_refused_before_anything_is_sent(
    server: RecordingServer, is_async: bool, form: object
) -> None:
    with pytest.raises(litellm.BadRequestError, match="encoding_format"):
        ask("embedding", "remodlai", is_async, api_base=base(server), input=["a"], encoding_format=form)
    assert server.requests == []


def test_few_servers_are_remembered() -> None:
    for number in range(2 * floats.MAX_REMEMBERED):
        with floats._remembered(f"https://{number}.example/v1/embeddings"):
            pass
    assert len(floats._floats_only) == floats.MAX_REMEMBERED
    floats._floats_only.clear()


def test_a_deployment_may_say_the_format(server: RecordingServer) -> None:
    server.responder = serves
    params = {"model": "remodlai/m", "api_base": base(server), "api_key": "k"}
    for form, expected in (("float", "float"), (None, "base64"), ("base64", "base64")):
        deployment = {"model_name": "nova", "litellm_params": {**params, "encoding_format": form}}
        router = litellm.Router([deployment], num_retries=0)
        response = router.embedding("nova", LARGE)
        assert got(response)[0] == (packed(VECTOR) if form == "base64" else VECTOR)
        assert forms(server) == [expected]
