"""
Stands in for vLLM's server where only the engine's process matters: same command line, same socket, no model.

`install` copies it to where the engine imports vLLM's server from. It obeys the name of the model: `slow` loads for
two seconds, `endless` for ten minutes, `broken` fails like vLLM does, `forking` has a worker process, `unreadable` has
no configuration.
"""

import asyncio
import importlib
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


class App:
    """
    Answers every POST with its process id, with `{"error": {…}}` where it is asked to say that, and with a chunk every
    10 ms until the client goes where it is asked for a stream.
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
        said = DEAD if self.dead else request.get("say")
        status = 200 if not said else 503 if scope["path"] == "/health" else request.get("status", 500)
        await send({"type": "http.response.start", "status": status, "headers": []})
        if said:
            await send({"type": "http.response.body", "body": json.dumps(said).encode()})
            return
        if request.get("stream"):
            gone = asyncio.ensure_future(receive())
            while not gone.done():
                await send({"type": "http.response.body", "body": b"data: {}\n\n", "more_body": True})
                await asyncio.sleep(0.01)
            return
        answer = {"pid": os.getpid(), "path": scope["path"], "argv": sys.argv[1:], "model": request.get("model")}
        answer["address"] = os.environ.get("VLLM_HOST_IP")
        answer["environment"] = sorted(os.environ)
        answer["headers"] = {name.decode(): value.decode() for name, value in scope["headers"]}
        answer["preloaded"] = os.environ.get("LD_PRELOAD")
        answer["count"] = 4321  # of /tokenize
        answer["devices"] = os.environ.get("CUDA_VISIBLE_DEVICES")
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


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


class AsyncEngineArgs:
    def __init__(self, model: str) -> None:
        self.model = model

    @classmethod
    def from_cli_args(cls, arguments: Namespace) -> "AsyncEngineArgs":
        return cls(arguments.model)

    def create_model_config(self) -> None:
        if "unreadable" in self.model:
            raise ValueError(f"Invalid repository ID or local directory specified: '{self.model}'.")


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
        parser.validate_parsed_serve_args(Namespace(model=options["--model"]))
    if "slow" in options["--model"]:
        time.sleep(2)
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
    app = getattr(importlib.import_module(module), name)(App())
    uds = sys.argv[sys.argv.index("--uds") + 1]
    uvicorn.run(app, uds=uds, log_level="warning", lifespan="on")


if __name__ == "__main__":
    main()
