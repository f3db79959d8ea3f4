"""Without a server, on a machine without vLLM, every call says the same sentence, by name or by id."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from edges.calls import EVERY_WAY, PROVIDERS, ask, base

import litellm
from support.ports import hold_port
from support.recording import RecordingServer, Response

every_provider = pytest.mark.parametrize("provider", PROVIDERS)
BY_ID: tuple[tuple[Callable[..., Any], Callable[..., Any]], ...] = (
    (litellm.get_responses, litellm.aget_responses),
    (litellm.delete_responses, litellm.adelete_responses),
    (litellm.cancel_responses, litellm.acancel_responses),
    (litellm.list_input_items, litellm.alist_input_items),
    (litellm.file_retrieve, litellm.afile_retrieve),
    (litellm.file_content, litellm.afile_content),
    (litellm.file_delete, litellm.afile_delete),
    (litellm.retrieve_batch, litellm.aretrieve_batch),
    (litellm.video_status, litellm.avideo_status),
    (litellm.video_content, litellm.avideo_content),
)


@pytest.fixture
def no_vllm(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[None]:
    # What an interpreter has installed is asked once: each test has its own.
    for name in ("LEXIQ_NOVA_PYTHON", "REMODLAI_API_BASE", "LEXIQ_NOVA_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(sys.modules, "vllm", None)
    monkeypatch.setattr(sys, "executable", f"{tmp_path}/python")
    yield


@every_provider
def test_one_sentence(provider: str, no_vllm: None) -> None:
    said = f"{provider}: no server is configured and vllm is not installed. Either name a server"
    for name, is_async, streamed in EVERY_WAY:
        with pytest.raises(litellm.BadRequestError, match=said) as caught:
            ask(name, provider, is_async, streamed)
        assert caught.value.llm_provider == provider, name
    for call, acall in BY_ID:
        with pytest.raises(litellm.BadRequestError, match=said):
            call("id_1", custom_llm_provider=provider)
        with pytest.raises(litellm.BadRequestError, match=said):
            asyncio.run(acall("id_1", custom_llm_provider=provider))
    for listing in (litellm.file_list, litellm.list_batches):
        with pytest.raises(litellm.BadRequestError, match=said):
            listing(custom_llm_provider=provider)


@every_provider
def test_an_error_names_its_provider(server: RecordingServer, provider: str) -> None:
    held = hold_port()
    server.responder = lambda request: Response(503, json={"error": {"message": "refused"}})
    for to in (base(server), f"http://127.0.0.1:{held.getsockname()[1]}/v1"):
        for name, is_async, streamed in EVERY_WAY:
            if name == "pass-through":  # hands its answer on as it is
                continue
            with pytest.raises(Exception, match="refused|nothing listens") as caught:
                ask(name, provider, is_async, streamed, api_base=to)
            assert getattr(caught.value, "llm_provider", None) == provider, (name, is_async, streamed)
            assert "openai" not in str(caught.value).lower(), (name, is_async, streamed)
    held.close()
