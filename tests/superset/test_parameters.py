"""Each parameter of the superset reaches the server as it was given, whichever way the call is made."""

import base64
from typing import Any

import pytest
from superset.ways import IN_PYTHON, MODEL, WAYS, Asking

PICTURE = b"\x89PNG\r\n\x1a\n\x00\xff"
SUPERSET: dict[str, Any] = {
    "task": "retrieval.query",
    "instructions": "Find the paragraph that answers the question. Ça compte.",
    "return_multivector": True,
    "dimensions": 64,
    "adapter": "legal-v2",
    "image": "https://pictures.example/cat.png",
    "image_embeds": [[0.25, -0.5], [1.0, 0.0]],
}
CASES: dict[str, dict[str, Any]] = {
    "nothing": {},
    **{name: {name: value} for name, value in SUPERSET.items()},
    "false": {"return_multivector": False},
    "everything": SUPERSET,
    "unknown": {"late_chunking": True, "pooling": {"kind": "mean", "layers": [-1, -2]}},
}
INPUTS: dict[str, Any] = {
    "text": "one",
    "texts": ["one", "two"],
    "tokens": [[1, 2, 3], [4]],
    "objects": [
        {"text": "a cat", "image": "https://pictures.example/cat.png", "task": "retrieval.passage"},
        {"text": "a dog", "task": "text-matching"},
        {"image": "data:image/png;base64,iVBORw0KGgo="},
    ],
    "mixed": ["one", {"text": "two"}],
}


def as_list(given: Any) -> Any:
    return [given] if isinstance(given, str) else given


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES)
def test_a_parameter_reaches_the_server(asking: Asking, way: str, case: str) -> None:
    WAYS[way](asking, "one", {**CASES[case], "encoding_format": "float"})
    assert asking.sent() == {"model": MODEL, "input": ["one"], "encoding_format": "float", **CASES[case]}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("given", INPUTS)
def test_an_input_reaches_the_server(asking: Asking, way: str, given: str) -> None:
    WAYS[way](asking, INPUTS[given], {"encoding_format": "float", "task": "code"})
    sent = {"model": MODEL, "input": as_list(INPUTS[given]), "encoding_format": "float", "task": "code"}
    assert asking.sent() == sent


@pytest.mark.parametrize("way", IN_PYTHON)
def test_bytes_are_sent_as_base64(asking: Asking, way: str) -> None:
    given = [{"text": "a cat", "image": PICTURE}, {"image": PICTURE}]
    IN_PYTHON[way](asking, given, {"image": PICTURE, "image_embeds": [PICTURE, "as it is"]})
    text = base64.b64encode(PICTURE).decode()
    assert asking.sent() == {
        "model": MODEL,
        "input": [{"text": "a cat", "image": text}, {"image": text}],
        "image": text,
        "image_embeds": [text, "as it is"],
    }
    assert given[1] == {"image": PICTURE}  # the caller's own objects stay as they were


@pytest.mark.parametrize("way", IN_PYTHON)
def test_parameters_may_stand_in_extra_body(asking: Asking, way: str) -> None:
    IN_PYTHON[way](asking, "one", {"extra_body": {**SUPERSET, "image": PICTURE}})
    image = base64.b64encode(PICTURE).decode()
    assert asking.sent() == {"model": MODEL, "input": ["one"], **SUPERSET, "image": image}
