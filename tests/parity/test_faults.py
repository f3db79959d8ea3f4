"""The suite must be able to fail: a fault planted in any one of the provider's classes is found by it.

For each class, each kind of fault that its endpoint can have is planted alone: in the URL, in the headers, in the
body that is sent, in the answer that is read, and in the class that errors get.
"""

import copy
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest
from parity.endpoints.all import ENDPOINTS
from parity.harness import Harness
from parity.runner import Tally, run

from litellm.llms.remodlai.chat.streaming import TemplateStream

CASES = 25
"""Cases per fault; the first difference ends the run."""

pytestmark = pytest.mark.filterwarnings("ignore")

CLASSES = {
    "chat.transformation.HostedLexiqNovaChatConfig": "chat",
    "embedding.transformation.HostedLexiqNovaEmbeddingConfig": "embeddings",
    "rerank.transformation.HostedLexiqNovaRerankConfig": "rerank",
    "responses.transformation.HostedLexiqNovaResponsesAPIConfig": "Responses API",
    "transcriptions.transformation.HostedLexiqNovaAudioTranscriptionConfig": "audio transcription",
    "image_edit.transformation.HostedLexiqNovaImageEditConfig": "image edit",
    "videos.transformation.HostedLexiqNovaVideoConfig": "video",
    "decisions.transformation.HostedLexiqNovaDecisionsConfig": "decisions",
    "passthrough.transformation.HostedLexiqNovaPassthroughConfig": "pass-through",
}
"""Each class of `litellm.llms.remodlai` with the endpoint that it serves."""


NOT_USED = {
    ("HostedLexiqNovaAudioTranscriptionConfig", "url"): "upstream sends transcriptions with the openai client",
    ("HostedLexiqNovaAudioTranscriptionConfig", "header"): "upstream sends transcriptions with the openai client",
    ("HostedLexiqNovaAudioTranscriptionConfig", "answer"): "upstream sends transcriptions with the openai client",
}
"""Hooks that upstream never calls, so that no fault in them can show; the test makes sure that it does not."""


@dataclass(frozen=True)
class Fault:
    """A fault of one kind: the methods it can be planted in, and what it does to what they return."""

    methods: Callable[[str], bool]
    spoil: Callable[[Any], Any]


def spoil_url(url: Any) -> Any:
    if isinstance(url, tuple):
        return (httpx.URL(f"{url[0]}/x"), *url[1:])
    return f"{url}/x"


def spoil_body(body: Any) -> Any:
    if isinstance(body, dict):
        return {**body, "planted": 1}
    if isinstance(body, tuple):
        return ({**body[0], "planted": "1"}, *body[1:])
    spoiled = copy.copy(body)
    spoiled.data = {**body.data, "planted": "1"}
    return spoiled


def spoil_answer(answer: Any) -> Any:
    if hasattr(answer, "_hidden_params"):
        answer._hidden_params = {**(answer._hidden_params or {}), "planted": 1}
        return answer
    return [answer]


FAULTS = {
    "url": Fault(lambda name: name == "get_complete_url", spoil_url),
    "header": Fault(lambda name: name == "validate_environment", lambda headers: {**headers, "x-planted": "1"}),
    "body": Fault(lambda name: name.startswith("transform_") and name.endswith("_request"), spoil_body),
    "answer": Fault(lambda name: name.startswith("transform_") and name.endswith("_response"), spoil_answer),
}


def planted(cls: type, name: str, spoil: Callable[[Any], Any], calls: list[str]) -> Callable[..., Any]:
    """The method `name` of `cls`, whose result is spoiled; `calls` notes that it was called."""
    original = getattr(cls, name)

    def spoiled(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return spoil(original(*args, **kwargs))

    async def spoiled_later(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return spoil(await original(*args, **kwargs))

    return spoiled_later if inspect.iscoroutinefunction(original) else spoiled


def owner(path: str) -> type:
    module, _, name = path.rpartition(".")
    found: type = getattr(import_module(f"litellm.llms.remodlai.{module}"), name)
    return found


@pytest.mark.parametrize("kind", sorted(FAULTS))
@pytest.mark.parametrize("path", sorted(CLASSES), ids=lambda path: path.rpartition(".")[2])
def test_planted_fault_is_found(path: str, kind: str, harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    cls, fault = owner(path), FAULTS[kind]
    methods = [name for name in dir(cls) if fault.methods(name)]
    if not methods:
        pytest.skip(f"the class has no {kind} of its own")
    calls: list[str] = []
    for name in methods:
        monkeypatch.setattr(cls, name, planted(cls, name, fault.spoil, calls))
    endpoint = next(endpoint for endpoint in ENDPOINTS if endpoint.name == CLASSES[path])
    tally = Tally(first_only=True)
    run(harness, endpoint, CASES, tally)
    if (cls.__name__, kind) in NOT_USED:
        assert not calls, "upstream uses it now: take it off the list"
    else:
        assert tally.unexplained


@pytest.mark.parametrize("method", ["__next__", "__anext__"])
def test_planted_fault_in_the_stream_is_found(method: str, harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream class of the provider that spoils its second content is found."""
    count = 0

    def spoil(chunk: Any) -> Any:
        nonlocal count
        if chunk.choices and chunk.choices[0].delta.content:
            count += 1
            if count % 2 == 0:
                chunk.choices[0].delta.content += "x"
        return chunk

    monkeypatch.setattr(TemplateStream, method, planted(TemplateStream, method, spoil, []))
    tally = Tally(first_only=True)
    run(harness, next(endpoint for endpoint in ENDPOINTS if endpoint.name == "chat"), 10 * CASES, tally)
    assert tally.unexplained


def test_no_class_is_left_out() -> None:
    """Every `HostedLexiqNova…Config` of the provider has faults planted in it."""
    import litellm.llms.remodlai as package

    [root] = package.__path__
    defined = {
        f"{path.parent.name}.{path.stem}.{line.split()[1].split('(')[0]}"
        for path in Path(root).glob("*/transformation.py")
        for line in path.read_text().splitlines()
        if line.startswith("class HostedLexiqNova") and "Config" in line
    }
    assert defined == set(CLASSES)
