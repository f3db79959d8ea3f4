"""One case, made once per provider against the same server, and everything that can be seen of it.

`Harness.observe(case, provider)` makes the call and returns plain data: the requests on the wire, what came back
(chunk by chunk for streams) or what was raised, the waits between retries, and the standard logging payloads.
`compare` lists where two observations differ.
"""

import asyncio
import concurrent.futures
import contextvars
import copy
import functools
import gc
import io
import logging
import os
import random
import ssl
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import anyio
from parity.normalise import failure, plain

import litellm
from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER
from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper
from litellm.litellm_core_utils.thread_pool_executor import executor
from litellm.llms.custom_httpx.async_client_cleanup import close_litellm_async_clients
from support import loopback
from support.logger import Event, RecordingLogger
from support.recording import RecordingServer, Request, Response, replay

UPSTREAM = "hosted_vllm"
TWIN = "remodlai"
KEY = "sk-case"

_RETRYING = ("litellm.router", "litellm.litellm_core_utils.call_retries", "openai._base_client", "tenacity")
_CALLBACKS = (
    *("callbacks", "success_callback", "failure_callback", "input_callback", "service_callback"),
    *("_async_success_callback", "_async_failure_callback", "_async_input_callback"),
)
_SETTINGS = ("api_base", "api_key", "num_retries", "drop_params", "model_alias_map", "headers")


@dataclass(frozen=True)
class File:
    """A file argument; each call gets a fresh object of it."""

    name: str
    content: bytes = field(repr=False)

    def open(self) -> io.BytesIO:
        file = io.BytesIO(self.content)
        file.name = self.name
        return file


@dataclass(frozen=True)
class Case:
    """One call and what the server answers to it.

    Attributes:
        endpoint: name of the endpoint in `endpoints.all.ENDPOINTS`.
        call: attribute path in `litellm` of the function that is called.
        params: its arguments, without model, provider, base and key.
        answers: the server's answers, in order; the last is repeated.
        model: model name without a provider, or None for calls that take none.
        ask: `prefix` (`model="<provider>/<model>"`) or `provider` (`custom_llm_provider="<provider>"`).
        via: `function` or `router`.
        base: path of the server's base URL.
        configured: where the base is set: `arguments`, `environment` or `module` (`litellm.api_base`). The key is
            an argument or in the environment.
        key: the API key, or None for none at all.
        router: arguments of the Router, where `via` is `router`.
        streams: whether upstream knows of each model that it streams; else only of those in a price list.
    """

    endpoint: str
    call: str
    params: dict[str, Any]
    answers: tuple[Response, ...]
    model: str | None = "m"
    ask: str = "prefix"
    via: str = "function"
    base: str = "/v1"
    configured: str = "arguments"
    key: str | None = KEY
    router: dict[str, Any] = field(default_factory=dict)
    streams: bool = False

    @property
    def asynchronous(self) -> bool:
        return self.call.rpartition(".")[2].startswith("a")


class _Logger(RecordingLogger):
    """Keeps a copy of each payload: LiteLLM goes on to change it."""

    def keep(self, event: Event) -> None:
        payload = copy.deepcopy(event.details.get("standard_logging_object"))
        super().keep(event._replace(details={"payload": payload, "response": type(event.response).__name__}))


class Harness:
    """The recording server, the logger and the event loop that all cases share. A context manager."""

    def __enter__(self) -> "Harness":
        self.server = RecordingServer().start()
        self.loop = asyncio.new_event_loop()
        # A call made before, in another event loop, may have left a log entry that the first case would be told of.
        self.loop.run_until_complete(GLOBAL_LOGGING_WORKER.flush())
        self.sleeps: list[float] = []
        self.deferred: list[Callable[[], Any]] = []
        self.broken: list[Exception] = []
        self._undo = [*self._track_sleeps(), self._defer_logging(), self._share_tls()]
        self._environment = dict(os.environ)
        for name in list(os.environ):
            if name.endswith(("_API_BASE", "_API_KEY", "_BASE_URL")):
                del os.environ[name]
        litellm.suppress_debug_info = True
        logging.disable(logging.CRITICAL)
        return self

    def __exit__(self, *_: object) -> None:
        for undo in self._undo:
            undo()
        self.loop.run_until_complete(close_litellm_async_clients())
        gc.collect()  # connections that nobody holds any more are closed while their loop is there
        self.loop.close()
        self.server.stop()
        logging.disable(logging.NOTSET)
        os.environ.clear()
        os.environ.update(self._environment)

    def _defer_logging(self) -> Any:
        """What LiteLLM hands to its logging threads is kept and run after the call, so that it cannot race with it."""

        def later(function: Callable[..., Any], *args: Any, **kwargs: Any) -> concurrent.futures.Future[Any]:
            self.deferred.append(functools.partial(contextvars.copy_context().run, function, *args, **kwargs))
            return concurrent.futures.Future()

        executor.submit = later  # type: ignore[method-assign]
        return lambda: executor.__dict__.pop("submit")

    def _share_tls(self) -> Any:
        """One TLS context for all clients: no case uses TLS, and loading certificates costs more than a case."""
        original = ssl.create_default_context
        ssl.create_default_context = functools.cache(original)  # type: ignore[assignment]
        return lambda: setattr(ssl, "create_default_context", original)

    def _track_sleeps(self) -> Iterator[Any]:
        """Waits between retries are written down and not waited for."""

        def retrying() -> bool:
            return str(sys._getframe(2).f_globals.get("__name__", "")).startswith(_RETRYING)

        for module in (time, asyncio, anyio):
            original = module.sleep  # type: ignore[attr-defined]

            def wait(seconds: float, *args: Any, original: Any = original, **kwargs: Any) -> Any:
                if retrying() and seconds:
                    self.sleeps.append(round(seconds, 6))
                    seconds = 0
                return original(seconds, *args, **kwargs)

            module.sleep = wait  # type: ignore[attr-defined]
            yield lambda module=module, original=original: setattr(module, "sleep", original)

    def observe(self, case: Case, provider: str) -> dict[str, Any]:
        """Make the call of `case` with `provider`; everything seen of it, as plain normalised data."""
        self.server.take()
        self.server.responder = replay(case.answers)
        self.sleeps.clear()
        self.deferred.clear()
        self.broken.clear()
        logger = _Logger()
        random.seed(0)
        with self._globals(case, provider, logger):
            seen: dict[str, Any] = {}
            threads = set(threading.enumerate())
            try:
                if case.asynchronous:
                    self.loop.run_until_complete(self._call_async(case, provider, seen))
                else:
                    self._call_sync(case, provider, seen)
            except Exception as error:
                seen["error"] = failure(error, provider)
            self._settle(threads)
        if case.endpoint == "pass-through" and "chunks" in seen:
            seen["chunks"] = "".join(seen["chunks"])  # raw bytes: where the network cuts them is chance
        seen["wire"] = [_wire(request) for request in self.server.take()]
        seen["refused"] = loopback.take()
        seen["sleeps"] = list(self.sleeps)
        seen["broken logging"] = [failure(error, provider) for error in self.broken]
        seen["logs"] = sorted(([event.name, event.details] for event in logger.events), key=lambda entry: entry[0])
        return plain(seen, provider)

    @contextmanager
    def _globals(self, case: Case, provider: str, logger: _Logger) -> Iterator[None]:
        """LiteLLM's global lists and settings and the environment, as this case wants them; restored after."""
        lists = {name: list(getattr(litellm, name)) for name in _CALLBACKS}
        settings = {name: getattr(litellm, name) for name in _SETTINGS}
        environment = dict(os.environ)
        knows = litellm.utils.supports_native_streaming
        litellm.callbacks = [logger]
        litellm.utils._model_cache.flush_cache()  # else a listing is that of an earlier case's server
        if (floats := sys.modules.get("litellm.llms.remodlai.embedding.floats")) is not None:
            floats._floats_only.clear()  # else the server is taken for one that has refused base64 in an earlier case
        if case.streams:
            litellm.utils.supports_native_streaming = lambda **_: True
        if case.configured == "environment":
            os.environ[f"{provider.upper()}_API_BASE"] = self.server.url + case.base
        if case.configured == "module":
            litellm.api_base = self.server.url + case.base
        if case.configured != "arguments" and case.key:
            os.environ[f"{provider.upper()}_API_KEY"] = case.key
        # A stream of hosted_vllm is closed where the collector finds it. Inside httpcore that waits for itself forever.
        gc.disable()
        try:
            yield
        finally:
            gc.enable()
            litellm.utils._model_cache.flush_cache()
            litellm.utils.supports_native_streaming = knows
            os.environ.clear()
            os.environ.update(environment)
            for name, value in lists.items():
                getattr(litellm, name)[:] = value
            for name, value in settings.items():
                setattr(litellm, name, value)

    def _function(self, case: Case, provider: str) -> tuple[Any, dict[str, Any]]:
        """What is called, and with which arguments."""
        call = _fresh(case.params)
        server = {"api_base": self.server.url + case.base, **({"api_key": case.key} if case.key else {})}
        if case.via == "router":
            deployment = {
                "model_name": "group",
                "litellm_params": {"model": f"{provider}/{case.model}", **server, **call.pop("litellm_params", {})},
                "model_info": {"id": str(uuid.uuid4())},
            }
            router = litellm.Router(model_list=[deployment], **_fresh(case.router))
            if case.call == "adiscover_model_info":
                return adiscover_model_info, {"router": router}
            return reduce(getattr, case.call.split("."), router), {"model": "group", **call}
        if case.configured == "arguments":
            call = {**server, **call}
        if case.ask == "provider":
            call = {**({"model": case.model} if case.model else {}), "custom_llm_provider": provider, **call}
        elif case.model:
            call = {"model": f"{provider}/{case.model}", **call}
        if case.endpoint == "health":
            call = {"model_params": call, "mode": call.pop("mode")}
        return reduce(getattr, case.call.split("."), litellm), call

    def _call_sync(self, case: Case, provider: str, seen: dict[str, Any]) -> None:
        function, arguments = self._function(case, provider)
        result = function(**arguments)
        if not _is_stream(result):
            seen["result"] = plain(result, provider)
            return
        seen["stream"] = isinstance(result, CustomStreamWrapper)
        chunks = seen["chunks"] = []
        for chunk in result:
            chunks.append(plain(chunk, provider))
        seen["after"] = _after(result, provider)

    async def _call_async(self, case: Case, provider: str, seen: dict[str, Any]) -> None:
        function, arguments = self._function(case, provider)
        result = await function(**arguments)
        if not _is_stream(result):
            seen["result"] = plain(result, provider)
            return
        seen["stream"] = isinstance(result, CustomStreamWrapper)
        chunks = seen["chunks"] = []
        async for chunk in result:
            chunks.append(plain(chunk, provider))
        seen["after"] = _after(result, provider)

    def _settle(self, threads: set[threading.Thread]) -> None:
        """Wait until all logging of the call is done: deferred work, threads, tasks, LiteLLM's own queue."""
        for _ in range(50):
            deferred, self.deferred[:] = list(self.deferred), []
            for run in deferred:
                try:
                    run()
                except Exception as error:  # LiteLLM's thread keeps it in a future, where nobody looks
                    self.broken.append(error)
            started = [
                thread
                for thread in set(threading.enumerate()) - threads
                if getattr(getattr(thread, "_target", None), "__name__", "") == "failure_handler"
            ]
            for thread in started:
                thread.join(timeout=5)
            if self.loop.run_until_complete(_tasks_done()) and not deferred and not started:
                return


async def adiscover_model_info(router: litellm.Router) -> Any:
    """What a Router knows of its one deployment after it has asked the server for its models."""
    await router.arefresh_model_info()
    found = router.get_discovered_model_info(router.get_model_ids()[0])
    return {"found": dict(found), "group": router.get_model_group_info(model_group="group")}


async def _tasks_done() -> bool:
    """Lets the event loop's other tasks finish; True where there was none."""
    for _ in range(3):
        await asyncio.sleep(0)
    others = [
        task
        for task in asyncio.all_tasks() - {asyncio.current_task()}
        if "_worker_loop" not in getattr(task.get_coro(), "__qualname__", "")
    ]
    if others:
        await asyncio.wait(others, timeout=0.2)
    queue = GLOBAL_LOGGING_WORKER._queue
    return not others and (queue is None or queue.empty())


def _fresh(value: Any) -> Any:
    """A copy that the call may change, with files opened."""
    if isinstance(value, File):
        return value.open()
    if isinstance(value, dict):
        return {key: _fresh(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_fresh(item) for item in value)
    return value


def _is_stream(result: Any) -> bool:
    plain_kinds = (dict, list, tuple, str, bytes)
    is_model = hasattr(result, "model_dump") or hasattr(result, "response")
    return (hasattr(result, "__aiter__") or hasattr(result, "__iter__")) and not (
        isinstance(result, plain_kinds) or (is_model and not isinstance(result, CustomStreamWrapper))
    )


def _after(stream: Any, provider: str) -> Any:
    """What a stream that has ended still says about itself."""
    names = ("_hidden_params", "response_uptil_now", "completed_response", "received_finish_reason")
    return plain({name: getattr(stream, name, None) for name in names}, provider)


def _wire(request: Request) -> dict[str, Any]:
    """One request as data; a multipart body as its parts, a JSON body parsed."""
    parts = request.parts()
    body: Any = [vars(part) for part in parts] if parts else request.body
    if request.body and not parts and (request.header("content-type") or "").startswith("application/json"):
        body = {"json": request.json(), "bytes": request.body}
    # Names of headers mean the same in either case (RFC 9110, 5.1); one HTTP library writes them so, another so.
    headers = [[name.lower(), value] for name, value in request.headers]
    # A length of 0 says no more than none (RFC 9110, 8.6); one HTTP library says it of a DELETE, another does not.
    headers = [[name, value] for name, value in headers if name != "content-length" or not parts and value != "0"]
    return {"method": request.method, "path": request.path, "query": request.query, "headers": headers, "body": body}


@dataclass(frozen=True)
class Difference:
    """One place where the two observations differ: where, and what upstream and the twin have there."""

    path: str
    upstream: Any
    twin: Any


_MISSING = "<missing>"


def compare(upstream: Any, twin: Any, path: str = "") -> Iterator[Difference]:
    """Every leaf where the observations differ."""
    if isinstance(upstream, dict) and isinstance(twin, dict):
        for key in [*upstream, *(key for key in twin if key not in upstream)]:
            yield from compare(upstream.get(key, _MISSING), twin.get(key, _MISSING), f"{path}.{key}" if path else key)
    elif isinstance(upstream, list) and isinstance(twin, list) and len(upstream) == len(twin):
        for index, (left, right) in enumerate(zip(upstream, twin, strict=True)):
            yield from compare(left, right, f"{path}[{index}]")
    elif upstream != twin or type(upstream) is not type(twin):
        yield Difference(path, upstream, twin)
