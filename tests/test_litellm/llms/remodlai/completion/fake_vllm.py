"""
Stands in for vLLM's server where only the engine's process matters: same command line, same socket, no model.

`install` copies it to where the engine imports vLLM's server from. It obeys the name of the model: `slow` loads for
two seconds, `endless` for ten minutes, `telling` for one, and says what vLLM says meanwhile; `starved` finds too little
memory, `broken` fails like vLLM does, `forking` has a worker process, `unreadable` has no configuration.
"""

import asyncio
import importlib
import itertools
import json
import os
import shutil
import sys
import time
from argparse import Namespace
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

Message = MutableMapping[str, Any]
DEAD_MESSAGE = "EngineCore encountered an issue. See stack trace (above) for the root cause."
DEAD = {"error": {"message": DEAD_MESSAGE, "type": "InternalServerError", "param": None, "code": 500}}

USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
# What each endpoint reads of it is what vLLM would say there.
ANSWER: dict[str, Any] = {
    "id": "1",
    "object": "chat.completion",
    "created": 1,
    "usage": USAGE,
    "choices": [{"index": 0, "finish_reason": "stop", "text": "Hi", "message": {"role": "assistant", "content": "Hi"}}],
    "data": [{"object": "embedding", "index": index, "embedding": [0.5, 0.5]} for index in range(2)],
    "results": [{"index": index, "relevance_score": 0.5, "document": {"text": "a"}} for index in range(2)],
}


class App:
    """
    Answers every POST with its process id, with `{"error": {…}}` where it is asked to say that, and with a chunk every
    10 ms until the client goes where it is asked for a stream. A streamed chat has what all its messages say, word by
    word; after a user's `forever` it goes on until the client goes.
    """

    def __init__(self) -> None:
        self.dead = False

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        if scope["type"] == "lifespan":
            while True:
                kind = (await receive())["type"]
                await send({"type": f"{kind}.complete"})
                if kind == "lifespan.shutdown":
                    return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        request = json.loads(body or b"{}")
        self.dead |= bool(request.get("kill_inside"))
        if request.get("kill"):
            os.kill(os.getpid(), 9)
        await asyncio.sleep(request.get("seconds", 0))
        assert not EngineClient.is_asleep
        said = DEAD if self.dead else request.get("say")
        status = 200 if not said else 503 if scope["path"] == "/health" else request.get("status", 500)
        headers = [(b"content-type", b"text/event-stream")] if request.get("stream") and not said else []
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if said:
            await send({"type": "http.response.body", "body": json.dumps(said).encode()})
            return
        if request.get("stream") and "messages" in request:
            await chat(request, receive, send)
            return
        if request.get("stream"):
            gone = asyncio.ensure_future(receive())
            while not gone.done():
                await send({"type": "http.response.body", "body": b"data: {}\n\n", "more_body": True})
                await asyncio.sleep(0.01)
            return
        answer = {"pid": os.getpid(), "path": scope["path"], "argv": sys.argv[1:], "model": request.get("model")}
        answer["address"] = os.environ.get("VLLM_HOST_IP")
        if "messages" in request:
            message = {"role": "assistant", "content": "a word"}
            answer["choices"] = [{"index": 0, "message": message, "finish_reason": "stop"}]
        answer["environment"] = sorted(os.environ)
        answer["headers"] = {name.decode(): value.decode() for name, value in scope["headers"]}
        answer["preloaded"] = os.environ.get("LD_PRELOAD")
        answer["count"] = 4321  # of /tokenize
        answer["devices"] = os.environ.get("CUDA_VISIBLE_DEVICES")
        await send({"type": "http.response.body", "body": json.dumps({**ANSWER, **answer}).encode()})


async def chat(
    request: dict[str, Any],
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """A streamed chat completion: its words are those of the messages; with its usage where that is asked for."""
    messages: list[dict[str, str]] = request["messages"]
    gone = asyncio.ensure_future(receive())
    words = [f"{word} " for message in messages for word in (f"{message['role']}:", *message["content"].split(" "))]
    for word in itertools.chain(words, itertools.cycle(("on ", "and ")) if words[-1] == "forever " else ()):
        if gone.done():
            return
        data: dict[str, Any] = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        data["choices"] = [{"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None}]
        await send({"type": "http.response.body", "body": f"data: {json.dumps(data)}\n\n".encode(), "more_body": True})
        await asyncio.sleep(0.01)
    data["choices"] = [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    last = [data, *([{**data, "choices": [], "usage": USAGE}] if request.get("stream_options") else [])]
    body = "".join(f"data: {json.dumps(each)}\n\n" for each in last)
    await send({"type": "http.response.body", "body": f"{body}data: [DONE]\n\n".encode()})


def install(site: Path) -> None:
    """Makes a `vllm` of this file in a directory of packages."""
    launchers = site / "vllm/entrypoints/launchers"
    (launchers / "api_server").mkdir(parents=True)
    (site / "vllm/engine").mkdir()
    for folder in ("", "engine", "entrypoints", "entrypoints/launchers", "entrypoints/launchers/api_server"):
        (site / "vllm" / folder / "__init__.py").touch()
    shutil.copy(__file__, launchers / "api_server/entry.py")
    (launchers / "cli_args.py").write_text("def validate_parsed_serve_args(arguments): pass\n")
    (site / "vllm/engine/arg_utils.py").write_text(
        "from vllm.entrypoints.launchers.api_server.entry import AsyncEngineArgs\n"
    )
    (site / "vllm/platforms.py").write_text(
        "from vllm.entrypoints.launchers.api_server.entry import Platform\ncurrent_platform = Platform()\n"
    )


class Platform:
    """A CPU, or GPUs where `VLLM_STAND_IN_GPUS` says how many."""

    device_control_env_var = "CUDA_VISIBLE_DEVICES"

    def is_cpu(self) -> bool:
        return "VLLM_STAND_IN_GPUS" not in os.environ

    def is_sleep_mode_available(self) -> bool:
        return not self.is_cpu()

    def get_device_total_memory(self) -> int:
        return 80 * 2**30


class EngineClient:
    """vLLM's engine, as far as it sleeps; it fails to where `VLLM_STAND_IN_SLEEPLESS` is set."""

    is_asleep = False

    async def sleep(self, level: int) -> None:
        await asyncio.sleep(0.3)
        if "VLLM_STAND_IN_SLEEPLESS" in os.environ:
            raise RuntimeError("no allocator")
        assert level == 1 and not EngineClient.is_asleep
        EngineClient.is_asleep = True

    async def wake_up(self) -> None:
        await asyncio.sleep(0.3)
        assert EngineClient.is_asleep
        EngineClient.is_asleep = False


class AsyncEngineArgs:
    gpu_memory_utilization = 0.92
    kv_cache_memory_bytes: int | None = None
    device_ids: list[int] | None = None
    tensor_parallel_size = pipeline_parallel_size = data_parallel_size = 1
    distributed_executor_backend: str | None = None

    def __init__(self, model: str) -> None:
        self.model = model

    @classmethod
    def from_cli_args(cls, arguments: Namespace) -> "AsyncEngineArgs":
        made = cls(arguments.model)
        vars(made).update(vars(arguments))
        return made

    def create_model_config(self) -> Namespace:
        if "unreadable" in self.model:
            raise ValueError(f"Invalid repository ID or local directory specified: '{self.model}'.")
        dtype = Namespace(itemsize=2)
        text = Namespace(num_attention_heads=8, hidden_size=512, num_hidden_layers=4, dtype=dtype)
        return Namespace(model=self.model, revision=None, dtype=dtype, max_model_len=1024, hf_text_config=text)


def options_of(words: list[str]) -> dict[str, Any]:
    """The options of a command line that the stand-in knows, by name."""
    given = dict(zip(words, words[1:], strict=False))
    kinds = {"gpu_memory_utilization": float, "kv_cache_memory_bytes": int, "tensor_parallel_size": int}
    named = {name: (f"--{name.replace('_', '-')}", kind) for name, kind in kinds.items()}
    options: dict[str, Any] = {name: kind(given[flag]) for name, (flag, kind) in named.items() if flag in given}
    if "--device-ids" in given:
        options["device_ids"] = [int(each) for each in given["--device-ids"].split(",")]
    return options


def main() -> None:
    import uvicorn

    options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=False))
    if "--no-such-option" in sys.argv:
        sys.exit("vllm: error: unrecognized arguments: --no-such-option")
    try:
        parser = importlib.import_module("vllm.entrypoints.launchers.cli_args")
    except ModuleNotFoundError:
        pass  # an older vLLM
    else:
        parser.validate_parsed_serve_args(Namespace(model=options["--model"], **options_of(sys.argv)))
    if "slow" in options["--model"]:
        time.sleep(2)
    if "telling" in options["--model"]:
        for line in ("Starting to load model", "Loading weights took", "Supported tasks"):
            sys.stdout.write(f"INFO 01-01 00:00:00 [core.py:1] {line}\n")
            sys.stdout.flush()
            time.sleep(0.3)
    if "starved" in options["--model"]:
        sys.exit("ValueError: Available memory on node 0 (1.0/8.0 GiB) on startup is less than desired.")
    if "endless" in options["--model"]:
        time.sleep(600)
    if "forking" in options["--model"] and os.fork() == 0:
        time.sleep(60)
        os._exit(0)
    if "broken" in options["--model"]:
        sys.stdout.write(
            "(EngineCore pid=1) ERROR 01-01 00:00:00 [core.py:1] ValueError: head size 7 is not supported\n"
        )
        raise RuntimeError("Engine core initialization failed. See root cause above.")
    module, _, name = sys.argv[sys.argv.index("--middleware") + 1].rpartition(".")
    inner = getattr(importlib.import_module(module), name)(App())

    async def app(scope: Message, receive: Any, send: Any) -> None:
        await inner({**scope, "app": Namespace(state=Namespace(engine_client=EngineClient()))}, receive, send)

    uds = sys.argv[sys.argv.index("--uds") + 1]
    uvicorn.run(app, uds=uds, log_level="warning", lifespan="on")


if __name__ == "__main__":
    main()
