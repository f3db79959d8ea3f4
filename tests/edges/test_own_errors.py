"""LiteLLM's exceptions on every endpoint, awaited or not, and the server named where none answers."""

import asyncio
from typing import Any

import openai
import pytest
from edges.calls import KINDS, PROVIDERS, ask, base

import litellm
from support.ports import hold_port
from support.recording import RecordingServer, Response

every_provider = pytest.mark.parametrize("provider", PROVIDERS)
# A pass-through hands its answer on as it is.
MAPPED = [name for name in KINDS if name != "pass-through"]
RANKED: dict[str, Any] = {
    "id": "r",
    "model": "m",
    "results": [{"index": 0, "relevance_score": 0.5, "document": {"text": None, "multi_modal": {"image": "a.png"}}}],
    "usage": {"total_tokens": 1},
}


@every_provider
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, litellm.AuthenticationError),
        (503, litellm.ServiceUnavailableError),
    ],
)
def test_by_status(server: RecordingServer, provider: str, status: int, kind: type[Exception]) -> None:
    server.responder = lambda request: Response(status, json={"error": {"message": "refused"}})
    for name in MAPPED:
        for is_async in (False, True):
            with pytest.raises(kind, match="refused") as caught:
                ask(name, provider, is_async, api_base=base(server), api_key="sk-a-key-of-mine")
            if name != "text_completion":  # upstream names OpenAI there
                assert getattr(caught.value, "llm_provider", None) == provider, name
    call: dict[str, Any] = {"custom_llm_provider": provider, "api_base": base(server)}
    for by_id in (lambda: litellm.file_content("f", **call), lambda: asyncio.run(litellm.alist_batches(**call))):
        with pytest.raises(kind, match="refused"):
            by_id()


@every_provider
def test_where_nothing_listens(provider: str) -> None:
    held = hold_port()
    nowhere = f"http://127.0.0.1:{held.getsockname()[1]}/v1"
    for name in MAPPED:
        for is_async in (False, True):
            with pytest.raises(openai.APIError, match="nothing listens on that port") as caught:
                ask(name, provider, is_async, api_base=nowhere)
            assert type(caught.value).__module__.startswith("litellm"), name
    held.close()


@every_provider
def test_rerank_says_what_it_does_not_take(server: RecordingServer, provider: str) -> None:
    server.responder = lambda request: Response(json=RANKED)
    call = {"query": "q", "documents": ["a"]}
    to = {"model": f"{provider}/m", "api_base": base(server)}
    for wrong in ({"max_chunks_per_doc": 2}, {"truncation_side": "up"}):
        router = litellm.Router(model_list=[{"model_name": "a", "litellm_params": to}], num_retries=2)
        with pytest.raises(litellm.BadRequestError, match=provider) as caught:
            litellm.rerank(**call, **wrong, **to)
        assert "vllm" not in str(caught.value).lower()
        with pytest.raises(litellm.BadRequestError, match=provider) as caught:
            asyncio.run(router.arerank(model="a", **call, **wrong))
        assert (caught.value.status_code, caught.value.num_retries) == (400, None)
    assert server.take() == []
    litellm.rerank(**call, max_chunks_per_doc=2, drop_params=True, **to)
    assert server.take()[0].json()["documents"] == ["a"]


@every_provider
def test_rerank_of_pictures_and_extra_body(server: RecordingServer, provider: str) -> None:
    server.responder = lambda request: Response(json=RANKED)
    pictures = {"content": [{"type": "image_url", "image_url": {"url": "http://127.0.0.1/a.png"}}]}
    to = {"model": f"{provider}/m", "api_base": base(server), "extra_body": {"priority": 3}}
    router = litellm.Router(model_list=[{"model_name": "a", "litellm_params": to}])
    answers = [
        litellm.rerank(query="q", documents=pictures, **to),
        asyncio.run(litellm.arerank(query="q", documents=pictures, **to)),
        asyncio.run(router.arerank(model="a", query="q", documents=pictures)),
        litellm.rerank(query=pictures, documents=[pictures, "a"], **to),
    ]
    assert [answer.results[0].get("document") for answer in answers] == [None] * 4
    *one, fourth = (request.json() for request in server.take())
    assert [(body["query"], body["documents"], body["priority"]) for body in one] == [("q", pictures, 3)] * 3
    assert (fourth["query"], fourth["documents"]) == (pictures, [pictures, "a"])
