"""
Other gateways, to measure beside LiteLLM's proxy: Portkey's, and the last that any-llm brought. `make bench-proxy`
fetches both into build/gateways. Each is a process that listens on loopback and passes calls on to one server.
"""

import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import yaml

from benchmarks.measure import ROOT

sys.path.insert(0, str(ROOT / "tests"))  # ports are held and servers awaited as the tests do it
from support.ports import hold_port
from support.waiting import until_it_serves

GATEWAYS = ROOT / "build" / "gateways"
PORTKEY = GATEWAYS / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
ANY_LLM = GATEWAYS / "any-llm" / "bin" / "any-llm-gateway"
START_SECONDS = 60.0
ON_LOOPBACK = """data:text/javascript,
import net from "node:net";
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...rest) {
  return listen.call(this, { port: Number(port), host: "127.0.0.1" }, rest.at(-1));
};"""
"""Portkey's gateway has no option for its address, no key, and would answer the whole network."""


@contextmanager
def place() -> Iterator[tuple[str, int, str]]:
    """A folder, a port that is held, and the URL of a gateway that listens there."""
    with tempfile.TemporaryDirectory() as folder, hold_port() as held:
        port = held.getsockname()[1]
        yield folder, port, f"http://127.0.0.1:{port}"


@contextmanager
def served(command: list[str], url: str, folder: str) -> Iterator[None]:
    """A gateway, from when it answers `url` until it has ended."""
    with open(Path(folder, "log"), "w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        until_it_serves(url, lambda: process.poll() is None, START_SECONDS, Path(folder, "log").read_text)
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def portkey(base: str) -> Iterator[tuple[str, dict[str, str]]]:
    """
    Args:
        base: of the server that it passes calls on to.

    Yields:
        Its URL, and the headers of a call.
    """
    with place() as (folder, port, url):
        command = ["node", "--import", ON_LOOPBACK, str(PORTKEY), f"--port={port}", "--headless"]
        with served(command, url, folder):
            yield url, {"x-portkey-provider": "openai", "x-portkey-custom-host": base, "Authorization": "Bearer bench"}


@contextmanager
def any_llm(base: str) -> Iterator[tuple[str, dict[str, str]]]:
    """
    Args:
        base: of the server that it passes calls on to; a model there is `vllm:<model>` here.

    Yields:
        Its URL, and the headers of a call.
    """
    master = secrets.token_urlsafe(24)
    with place() as (folder, port, url):
        config = {
            "providers": {"vllm": {"api_base": base, "api_key": "bench"}},
            "host": "127.0.0.1",
            "port": port,
            "master_key": master,
            "bootstrap_api_key": False,
        }
        Path(folder, "config.yaml").write_text(yaml.safe_dump(config))
        with served([str(ANY_LLM), "serve", "--config", "config.yaml"], f"{url}/health", folder):
            made = httpx.post(
                f"{url}/v1/keys", json={"key_name": "bench"}, headers={"X-AnyLLM-Key": f"Bearer {master}"}
            )
            yield url, {"X-AnyLLM-Key": f"Bearer {made.raise_for_status().json()['key']}"}
