"""Every kind of call that goes to a server, each sync and async, streamed where it can be, as one function."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import litellm
from support.recording import RecordingServer

PROVIDERS = ("remodlai", "lexiq_nova")
KEY = "sk-nova-secret"
CHAT = [{"role": "user", "content": "a secret prompt"}]
WAV = ("speech.wav", b"RIFF\x24\x00\x00\x00WAVE", "audio/wav")
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 16


@dataclass(frozen=True)
class Kind:
    """A call of LiteLLM: its function, the awaited one, and arguments that are enough."""

    call: Callable[..., Any]
    acall: Callable[..., Any]
    arguments: Mapping[str, Any]
    streams: bool = False
    named_by_provider: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)


_PASSED = {"method": "POST", "endpoint": "v1/chat/completions", "json": {"model": "m", "messages": CHAT}}
KINDS = {
    "completion": Kind(litellm.completion, litellm.acompletion, {"messages": CHAT}, streams=True),
    "text_completion": Kind(litellm.text_completion, litellm.atext_completion, {"prompt": "a"}, streams=True),
    "embedding": Kind(litellm.embedding, litellm.aembedding, {"input": ["a"]}),
    "rerank": Kind(litellm.rerank, litellm.arerank, {"query": "a", "documents": ["a", "b"]}),
    "responses": Kind(litellm.responses, litellm.aresponses, {"input": "a"}, streams=True),
    "messages": Kind(
        litellm.anthropic.messages.create,
        litellm.anthropic.messages.acreate,
        {"messages": CHAT, "max_tokens": 9},
        streams=True,
    ),
    "transcription": Kind(litellm.transcription, litellm.atranscription, {"file": WAV}),
    "image_edit": Kind(litellm.image_edit, litellm.aimage_edit, {"image": PNG, "prompt": "bluer"}),
    "video_generation": Kind(litellm.video_generation, litellm.avideo_generation, {"prompt": "a cat"}),
    "decisions": Kind(
        litellm.decisions,
        litellm.adecisions,
        {"input": "text", "questions": [{"type": "predicate", "name": "q0", "instructions": "Is it good?"}]},
    ),
    "pass-through": Kind(litellm.llm_passthrough_route, litellm.allm_passthrough_route, _PASSED),
    "image_generation": Kind(litellm.image_generation, litellm.aimage_generation, {"prompt": "a cat"}),
    "speech": Kind(litellm.speech, litellm.aspeech, {"input": "a", "voice": "alloy"}),
    "moderation": Kind(litellm.moderation, litellm.amoderation, {"input": "a"}),
    "create_file": Kind(
        litellm.create_file,
        litellm.acreate_file,
        {"file": ("a.jsonl", b"{}"), "purpose": "batch"},
        named_by_provider=True,
    ),
}
STREAMED = tuple(name for name, kind in KINDS.items() if kind.streams)
EVERY_WAY = tuple(
    (name, is_async, streamed)
    for name, kind in KINDS.items()
    for is_async in (False, True)
    for streamed in ((False, True) if kind.streams else (False,))
)
"""Name of the kind, whether it is awaited, whether it is streamed."""


def ask(name: str, provider: str, is_async: bool = False, streamed: bool = False, **call: Any) -> Any:
    """Makes a call of one kind and reads its answer to the end."""
    kind = KINDS[name]
    names = {"custom_llm_provider": provider} if kind.named_by_provider else {"model": f"{provider}/m"}
    arguments = {**names, "api_key": KEY, "max_retries": 0, **kind.arguments, **call}
    if streamed:
        arguments["stream"] = True
    if not is_async:
        answer = kind.call(**arguments)
        return list(answer) if streamed else answer

    async def awaited() -> Any:
        answer = await kind.acall(**arguments)
        return [chunk async for chunk in answer] if streamed else answer

    return asyncio.run(awaited())


def base(server: RecordingServer) -> str:
    return f"{server.url}/v1"
