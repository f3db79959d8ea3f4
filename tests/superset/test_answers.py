"""Vectors come back as the server sent them: several for an input, base64, and floats that travelled as base64."""

import base64
import struct
import sys
from typing import Any

import pytest
from superset import nova
from superset.ways import IN_PYTHON, WAYS, Asking, vectors

import litellm
from litellm.llms.remodlai.embedding.floats import LARGE_BATCH

BATCH = [f"text {number}" for number in range(2 * LARGE_BATCH)]
SIZES = [1, LARGE_BATCH - 1, LARGE_BATCH, 2 * LARGE_BATCH]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", SIZES)
def test_floats_are_the_servers(asking: Asking, way: str, size: int) -> None:
    response = WAYS[way](asking, BATCH[:size], {"encoding_format": "float"})
    assert asking.sent()["encoding_format"] == "float"
    assert vectors(response) == [nova.vector(text) for text in BATCH[:size]]


@pytest.mark.parametrize("way", IN_PYTHON)
def test_floats_are_what_a_call_wants_that_names_no_format(asking: Asking, way: str) -> None:
    response = IN_PYTHON[way](asking, BATCH, {})
    assert asking.sent()["encoding_format"] == "base64"
    assert vectors(response) == [nova.vector(text) for text in BATCH]
    assert isinstance(response, litellm.EmbeddingResponse)
    assert [item["index"] for item in response.data] == list(range(len(BATCH)))
    assert response.usage.prompt_tokens == 2 * len(BATCH)


@pytest.mark.parametrize("way", [*IN_PYTHON, "proxy"])
@pytest.mark.parametrize("size", SIZES)
def test_base64_passes_through(asking: Asking, way: str, size: int) -> None:
    response = WAYS[way](asking, BATCH[:size], {"encoding_format": "base64"})
    assert asking.sent()["encoding_format"] == "base64"
    assert vectors(response) == [nova.encoded(nova.vector(text)) for text in BATCH[:size]]


@pytest.mark.parametrize("way", IN_PYTHON)
def test_base64_may_be_asked_for_in_extra_body(asking: Asking, way: str) -> None:
    response = IN_PYTHON[way](asking, BATCH, {"extra_body": {"encoding_format": "base64"}})
    assert vectors(response) == [nova.encoded(nova.vector(text)) for text in BATCH]


def test_the_openai_client_reads_the_base64_it_asks_for(asking: Asking) -> None:
    response = WAYS["openai client"](asking, BATCH, {})
    assert asking.sent()["encoding_format"] == "base64"
    assert vectors(response) == [nova.vector(text) for text in BATCH]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", SIZES)
def test_several_vectors_for_an_input(asking: Asking, way: str, size: int) -> None:
    response = WAYS[way](asking, BATCH[:size], {"return_multivector": True})
    sent = asking.sent()
    assert sent["return_multivector"] is True
    answer = vectors(response)
    assert answer == nova.expected(sent)
    assert [len(each) for each in answer] == [nova.TOKENS] * size
    assert len(answer[0][0]) == nova.SIZE


@pytest.mark.parametrize("way", IN_PYTHON)
def test_special_floats_survive(asking: Asking, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    special = [0.0, -0.0, 1e-45, 3.4028234663852886e38, -1.1754943508222875e-38]
    monkeypatch.setattr(nova, "vector", lambda *of: special)
    (first, *_) = vectors(IN_PYTHON[way](asking, BATCH, {}))
    assert struct.pack("<5f", *first) == struct.pack("<5f", *special)


@pytest.mark.parametrize("way", IN_PYTHON)
def test_a_server_that_knows_no_base64_is_understood(asking: Asking, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nova, "encoded", list)
    assert vectors(IN_PYTHON[way](asking, BATCH, {})) == [nova.vector(text) for text in BATCH]


@pytest.mark.parametrize("way", IN_PYTHON)
def test_without_numpy_large_batches_travel_as_numbers(
    asking: Asking, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    response = IN_PYTHON[way](asking, BATCH, {})
    assert "encoding_format" not in asking.sent()
    assert vectors(response) == [nova.vector(text) for text in BATCH]


def test_encoded_is_what_a_server_would_send() -> None:
    floats: list[Any] = nova.vector("text")
    assert list(struct.unpack(f"<{nova.SIZE}f", base64.b64decode(nova.encoded(floats)))) == floats
