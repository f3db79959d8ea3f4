"""Real vLLM OpenAI servers for the tests: one child process each, on loopback, with a key.

`VLLMServer` is one server; `KINDS` says which servers the tests use; `ServerPool` keeps few of them alive, since
each takes half a minute to start and a gigabyte or two.
"""

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from support.models import model_dir
from support.ports import hold_port

LOGS = Path(__file__).resolve().parents[2] / "build" / "logs"
START_SECONDS = 600.0
STOP_SECONDS = 20.0
ENDLESS = 1024
"""Tokens after which the chat server ends an answer, since a model this small does not always find an end itself: far
enough away (half a minute) that a test sees the difference when a caller leaves and the generation stops."""


class ServerDied(RuntimeError):
    """The server ended before it was ready; the message holds the end of its log."""


class VLLMServer:
    """A vLLM OpenAI server for one model directory; a context manager, or `start()` and `stop()`.

    Args:
        model: directory of the model.
        served_model_name: the name that callers use.
        args: more options of vLLM's server.
        env: more environment variables of the process.
    """

    def __init__(
        self, model: Path, served_model_name: str, args: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> None:
        self.model = served_model_name
        self.key = secrets.token_urlsafe(24)
        self.log = Path()
        self._held: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._command = ["--model", str(model), "--served-model-name", served_model_name, "--enforce-eager", *args]
        self._env = {
            "HF_HUB_OFFLINE": "1",
            "VLLM_NO_USAGE_STATS": "1",
            "VLLM_CPU_KVCACHE_SPACE": "1",
            "VLLM_HOST_IP": "127.0.0.1",  # else vLLM finds its address out by connecting to a public one
            "VLLM_API_KEY": self.key,  # not --api-key: every user of the machine can read a command line
            **(env or {}),
        }

    @property
    def port(self) -> int:
        assert self._held is not None, "not started"
        return self._held.getsockname()[1]

    @property
    def base(self) -> str:
        """The origin, without `/v1`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The server's process id, which is its process group's as well."""
        assert self._process is not None, "not started"
        return self._process.pid

    def alive(self) -> bool:
        """Whether the process runs (its engine may be dead inside)."""
        # Looked at, not reaped (as Popen.poll would): the id of its process group stays its own until stop().
        return self._process is not None and not os.waitid(
            os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG
        )

    def _group(self) -> list[int]:
        """The processes of the server's group that still run."""
        members = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                if os.getpgid(process.pid) == self.pid and process.status() != psutil.STATUS_ZOMBIE:
                    members.append(process.pid)
        return members

    def start(self) -> None:
        """Start the process and wait until it answers.

        Raises:
            ServerDied: it ended; the message has the last lines of its log.
            TimeoutError: it did not answer within START_SECONDS.
        """
        LOGS.mkdir(parents=True, exist_ok=True)
        self._held = hold_port()
        descriptor, log = tempfile.mkstemp(prefix=f"vllm-{self.model.replace('/', '-')}-", suffix=".log", dir=LOGS)
        self.log = Path(log)
        with os.fdopen(descriptor, "wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "vllm.entrypoints.openai.api_server", *self._command]
                + ["--host", "127.0.0.1", "--port", str(self.port)],
                env={**os.environ, **self._env},
                cwd=LOGS,  # `python -m` puts this directory first on the import path: not the repository's
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if not self.alive():
                raise ServerDied(f"vLLM ended before it was ready; {self.log} ends with\n{self.log_tail()}")
            try:
                if self.get("/v1/models").is_success:
                    return
            except httpx.TransportError:
                pass  # not listening yet
            time.sleep(0.5)
        raise TimeoutError(f"vLLM not ready after {START_SECONDS:.0f} s; {self.log} ends with\n{self.log_tail()}")

    def stop(self) -> None:
        """End the server and everything it started; no-op if it is not running."""
        if self._process is not None:
            os.killpg(self.pid, signal.SIGTERM)
            deadline = time.monotonic() + STOP_SECONDS
            # The last to go is Python's resource tracker, which frees the shared memory the others leave behind.
            while self._group() and time.monotonic() < deadline:
                time.sleep(0.1)
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
        if self._held is not None:
            self._held.close()
            self._held = None

    def __enter__(self) -> "VLLMServer":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def log_tail(self, lines: int = 30) -> str:
        """The last lines of the server's output."""
        with self.log.open(errors="replace") as file:
            return "".join(deque(file, lines))

    def get(self, path: str) -> httpx.Response:
        """GET a path of the server, with its key and around LiteLLM."""
        return httpx.get(self.base + path, headers={"Authorization": f"Bearer {self.key}"}, timeout=10)

    def metrics(self) -> dict[str, float]:
        """The samples of `/metrics` by name, summed over their labels."""
        totals: dict[str, float] = {}
        for family in text_string_to_metric_families(self.get("/metrics").raise_for_status().text):
            for sample in family.samples:
                totals[sample.name] = totals.get(sample.name, 0.0) + sample.value
        return totals

    def running(self) -> int:
        """How many requests the engine is working on."""
        return int(self.metrics()["vllm:num_requests_running"])


@dataclass(frozen=True)
class Kind:
    """One server that the tests use: a model of support.models, its served name, options and environment."""

    model: str
    served_model_name: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    def server(self) -> VLLMServer:
        """A server of this kind, not started; its model is built if need be."""
        return VLLMServer(model_dir(self.model), self.served_model_name, self.args, self.env)


KINDS = {
    "chat": Kind(
        "smollm2",
        "smollm2-135m-instruct",
        (
            *("--max-model-len", "2048"),
            *("--dtype", "float32"),  # in bfloat16 it says other words on another processor
            *("--enable-auto-tool-choice", "--tool-call-parser", "hermes"),
            # A model this small gets a tool's arguments wrong unless held to them.
            *("--tool-strict-level", "parameter"),
            "--trust-request-chat-template",
            # By default the likeliest words: drawn at random, an answer of so small a model rambles on.
            *("--override-generation-config", json.dumps({"max_new_tokens": ENDLESS, "temperature": 0})),
        ),
        {"VLLM_ENABLE_RESPONSES_API_STORE": "1"},  # without it a response cannot be retrieved
    ),
    "embedding": Kind("minilm", "all-minilm-l6-v2"),
    "rerank": Kind("cross-encoder", "random-cross-encoder"),
    "whisper": Kind("whisper", "whisper-tiny.en"),
}


class ServerPool:
    """Servers by kind, started when first asked for; beyond `limit`, the one asked for longest ago is stopped."""

    def __init__(self, limit: int = 1) -> None:
        self._limit = limit
        self._servers: dict[str, VLLMServer] = {}  # in the order they were last asked for

    def get(self, kind: str) -> VLLMServer:
        """A running server of KINDS; a dead one is replaced.

        Raises:
            KeyError: no such kind.
            ServerDied, TimeoutError: it does not start.
        """
        server = self._servers.pop(kind, None)
        if server is None or not server.alive():
            if server is not None:
                server.stop()
            while len(self._servers) >= self._limit:
                self._servers.pop(next(iter(self._servers))).stop()
            server = KINDS[kind].server()
            server.start()
        self._servers[kind] = server
        return server

    def stop(self) -> None:
        """Stop all of them."""
        while self._servers:
            self._servers.popitem()[1].stop()
