"""Every public LiteLLM function that can be asked to use a provider, found by looking, with arguments to call it.

Nothing is listed by hand: each module of LiteLLM's public surface is searched for functions that take `model` or
`custom_llm_provider`, by name or among keyword arguments. A required parameter that has no sample value here is an
error, so that a function which upstream adds is met with a failing test and not with silence.
"""

import importlib
import inspect
import io
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import litellm

EXTRA_MODULES = ("litellm", "litellm.anthropic_interface.messages")
"""Public functions that do not stand in a package's `main.py` or `dispatch.py`."""

PRIVATE_DOORS = frozenset({"_arealtime", "_aresponses_websocket"})
"""Named with an underscore, exported from `litellm` all the same."""

NOT_CALLS: dict[str, str] = {
    "litellm.main.mock_completion": "answers from its own arguments",
    "litellm.main.register_custom_pricing_for_request": "remembers a price",
    "litellm.main.responses_api_bridge_check": "a predicate",
    "litellm.responses.main.follows_a_bridged_model_router_turn": "a predicate",
    "litellm.responses.main.provider_stores_the_conversation": "a predicate",
    "litellm.responses.main.strip_responses_routing_prefix": "shortens a name",
    "litellm.messages.dispatch.messages_target": "tells where a call would go",
    "litellm.realtime_api.main.vertex_access_token_resolver": "another provider's",
    "litellm.main.adapter_completion": "takes the id of an adapter object, not a provider",
    "litellm.main.aadapter_completion": "takes the id of an adapter object, not a provider",
    "litellm.main.aadapter_generate_content": "takes the id of an adapter object, not a provider",
    "litellm.main.config_completion": "reads a configuration file that names the model",
    "litellm.files.main.file_content_streaming": "the inner half of file_content",
}


class WebSocket:
    """Stands for the client's side of a realtime connection; nothing ever arrives on it."""

    headers: dict[str, str] = {}
    query_params: dict[str, str] = {}
    scope: dict[str, Any] = {"headers": []}

    async def accept(self, *args: object, **kwargs: object) -> None: ...

    async def send_text(self, data: str) -> None: ...

    async def close(self, *args: object, **kwargs: object) -> None:
        raise ConnectionAbortedError(f"closed: {kwargs or args}")

    async def receive_text(self) -> str:
        raise ConnectionAbortedError("no client")

    receive = receive_text


def named_file(name: str, content: bytes) -> io.BytesIO:
    file = io.BytesIO(content)
    file.name = name
    return file


def wav() -> io.BytesIO:
    """A tenth of a second of silence."""
    frames = b"\0" * 3200
    head = struct.pack("<4sI8sIHHIIHH", b"RIFF", 36 + len(frames), b"WAVEfmt ", 16, 1, 1, 16000, 32000, 2, 16)
    return named_file("speech.wav", head + struct.pack("<4sI", b"data", len(frames)) + frames)


def png() -> io.BytesIO:
    """A picture of one pixel."""
    return named_file(
        "picture.png",
        bytes.fromhex(
            "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63600000020000"
            "01e221bc330000000049454e44ae426082"
        ),
    )


MESSAGES = [{"role": "user", "content": "hello"}]

SAMPLES: dict[str, Callable[[], Any]] = {
    **{name: lambda: "text" for name in ("input", "prompt", "contents", "content", "query", "code", "name", "text")},
    **{
        name: (lambda name=name: f"{name}-1")
        for name in (
            *("assistant_id", "batch_id", "character_id", "container", "container_id", "eval_id", "file_id"),
            *("fine_tuning_job_id", "input_file_id", "interaction_id", "response_id", "run_id", "skill_id"),
            *("thread_id", "training_file", "vector_store_id", "video_id"),
        )
    },
    "adapter_id": lambda: "adapter",
    "api_key": lambda: None,
    "attributes": lambda: {"a": "b"},
    "completion_window": lambda: "24h",
    "data_source": lambda: {"type": "jsonl"},
    "data_source_config": lambda: {"type": "custom"},
    "document": lambda: {"type": "document_url", "document_url": "https://example.com/a.pdf"},
    "documents": lambda: ["one", "two"],
    "endpoint": lambda: "/v1/chat/completions",
    "file": wav,
    "image": png,
    "ingest_options": lambda: {"vector_store": {"custom_llm_provider": "PROVIDER"}},
    "max_tokens": lambda: 8,
    "messages": lambda: [dict(message) for message in MESSAGES],
    "method": lambda: "POST",
    "models": lambda: ["PROVIDER/x"],
    "openai_ephemeral_key": lambda: "key",
    "provider": lambda: "PROVIDER",
    "purpose": lambda: "batch",
    "questions": lambda: {"reachable": {"type": "choice", "instructions": "?", "criteria": {"yes": None}}},
    "retrieval_config": lambda: {"vector_store_id": "vs-1", "custom_llm_provider": "PROVIDER"},
    "role": lambda: "user",
    "sdp_body": lambda: b"v=0",
    "search_provider": lambda: "PROVIDER",
    "seconds": lambda: "4",
    "testing_criteria": list,
    "video": wav,
    "voice": lambda: "alloy",
    "websocket": WebSocket,
}


UNASKED = frozenset({"api_key", "timeout", "file_id"})
"""Optional parameters that stay unset although there is a sample."""

GEMINI_CONTENTS = [{"role": "user", "parts": [{"text": "hello"}]}]

SPECIAL: dict[str, dict[str, Callable[[], Any]]] = {
    **{name: {"contents": lambda: GEMINI_CONTENTS} for name in ("generate_content", "generate_content_stream")},
    "batch_completion": {"messages": lambda: [MESSAGES]},
    "decisions": {"questions": lambda: [{"type": "predicate", "instructions": "Is it good?"}]},
    "systemone": {
        "state": lambda: "text",
        "questions": lambda: {"good": {"type": "predicate", "instructions": "Is it good?"}},
    },
    "extraction": {"state": lambda: "text", "fields": lambda: {"name": {"type": "text"}}},
    "create_batch": {"endpoint": lambda: "/v1/chat/completions"},
    "create_file": {"file": lambda: named_file("a.jsonl", b"{}")},
    "ocr": {"model": lambda: "x", "document": SAMPLES["document"]},
    **{name: {"thread_id": lambda: "t", "assistant_id": lambda: "a"} for name in ("run_thread_stream", "run_thread")},
    "ingest": {"file_data": lambda: ("a.txt", b"hello", "text/plain"), "file": lambda: None},
}
"""Samples for functions whose parameter of that name is another."""


def modules() -> list[str]:
    """The modules of the public surface: `main.py` and `dispatch.py` of LiteLLM and of its packages."""
    root = Path(litellm.__file__).parent
    found = [
        path.relative_to(root).with_suffix("").as_posix().replace("/", ".")
        for name in ("main.py", "dispatch.py")
        for pattern in (name, f"*/{name}", f"*/*/{name}")
        for path in sorted(root.glob(pattern))
    ]
    skipped = ("proxy.", "llms.", "types.", "secret_managers.", "rust_bridge.", "a2a_protocol.", "integrations.")
    return [*EXTRA_MODULES, *(f"litellm.{name}" for name in found if not name.startswith(skipped))]


def public_calls() -> Iterator[tuple[str, Callable[..., Any]]]:
    """The functions found, each once, under the name of the module that defines it."""
    seen: set[str] = set()
    for module_name in modules():
        for name, function in list(vars(importlib.import_module(module_name)).items()):
            if not inspect.isfunction(function) or (name.startswith("_") and name not in PRIVATE_DOORS):
                continue
            inner = inspect.unwrap(function)
            package = inner.__module__.rpartition(".")[0]
            if not inner.__module__.startswith("litellm.") or package.startswith(("litellm.llms", "litellm.types")):
                continue
            label = f"{inner.__module__}.{name}"
            parameters = inspect.signature(inner).parameters.values()
            asks = any(
                p.name in ("model", "models", "custom_llm_provider") or p.kind == p.VAR_KEYWORD for p in parameters
            )
            if asks and label not in seen and label not in NOT_CALLS and inner.__module__ in modules():
                seen.add(label)
                yield label, function


def _signature(label: str, function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The parameters of a function; an async wrapper that takes `**kwargs` has those of the function it wraps."""
    parameters = dict(inspect.signature(inspect.unwrap(function)).parameters)
    module, _, name = label.rpartition(".")
    wrapped = getattr(importlib.import_module(module), name.removeprefix("a").removeprefix("_"), None)
    if name.startswith("a") and inspect.isfunction(wrapped) and wrapped is not function:
        return {**inspect.signature(inspect.unwrap(wrapped)).parameters, **parameters}
    return parameters


def ways_of_asking(label: str, function: Callable[..., Any]) -> list[str]:
    """How `function` can be asked for a provider: by the `model`'s prefix, by `provider`, or both.

    A keyword `model` that a function neither names nor reads is no way of asking: it would be ignored.
    """
    parameters = _signature(label, function)
    source = inspect.getsource(inspect.unwrap(function))
    model = "model" in parameters or 'kwargs.get("model"' in source or 'kwargs.pop("model"' in source
    provider = parameters.get("custom_llm_provider")
    required = provider is not None and provider.default is provider.empty
    ways = {"model": model and not required, "provider": provider is not None or _takes_any(parameters)}
    return [way for way, possible in ways.items() if possible]


def _takes_any(parameters: dict[str, inspect.Parameter]) -> bool:
    return any(p.kind == p.VAR_KEYWORD for p in parameters.values())


def arguments(label: str, function: Callable[..., Any], provider: str, way: str) -> dict[str, Any]:
    """Arguments that ask `function` for `provider` in one of its `ways_of_asking`: all that it requires."""
    parameters = _signature(label, function)
    chosen: dict[str, Any] = {}
    if way == "model":
        chosen["model"] = f"{provider}/x"
    else:
        chosen["custom_llm_provider"] = provider
        if "model" in parameters:
            chosen["model"] = "x"
    special = SPECIAL.get(label.rpartition(".")[2].removeprefix("a"), {})
    samples = SAMPLES | special
    for p in parameters.values():
        wanted = p.default is p.empty or (p.name in samples and p.name not in UNASKED)
        if wanted and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and p.name not in chosen:
            chosen[p.name] = _named(samples[p.name](), provider)
    if _takes_any(parameters):
        chosen = {name: sample() for name, sample in special.items()} | chosen
    return chosen


def _named(value: Any, provider: str) -> Any:
    """`value` with the word PROVIDER replaced."""
    if isinstance(value, str):
        return value.replace("PROVIDER", provider)
    if isinstance(value, dict):
        return {key: _named(item, provider) for key, item in value.items()}
    return [_named(item, provider) for item in value] if isinstance(value, list) else value
