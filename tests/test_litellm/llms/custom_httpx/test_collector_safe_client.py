"""A synchronous stream may be collected anywhere, and the process goes on."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from litellm.llms.custom_httpx.collector_safe_client import CollectorSafeClient, close_outside_httpcore
from litellm.llms.custom_httpx.http_handler import HTTPHandler
from litellm.llms.openai.common_utils import BaseOpenAILLM

SCRIPT = Path(__file__).parent / "collect_inside_pool.py"


@pytest.mark.parametrize("provider", ["hosted_vllm", "remodlai", "openai"])
def test_stream_collected_inside_the_pool_does_not_hang(provider: str) -> None:
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    command = [sys.executable, str(SCRIPT), provider]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-4000:]


def test_clients_of_all_providers_are_collector_safe() -> None:
    assert isinstance(HTTPHandler().client, CollectorSafeClient)
    assert isinstance(BaseOpenAILLM._get_sync_http_client(), CollectorSafeClient)


class Body(httpx.SyncByteStream):
    """Two parts, and what happened to them."""

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        yield b"one\n"
        if self.fails:
            raise httpx.ReadError("lost")
        yield b"two\n"

    def close(self) -> None:
        self.closed += 1


class Transport(httpx.BaseTransport):
    """Answers with a body; `inside` is called while the request is being sent."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.inside = lambda: None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.inside()
        return httpx.Response(200, stream=self.body)


def streamed(client: httpx.Client) -> httpx.Response:
    return client.send(client.build_request("GET", "http://127.0.0.1/"), stream=True)


def test_stream_read_to_its_end_is_closed_once() -> None:
    body = Body()
    response = streamed(CollectorSafeClient(transport=Transport(body)))
    assert list(response.iter_lines()) == ["one", "two"]
    assert body.closed == 1
    response.close()
    assert body.closed == 1


def test_error_of_a_stream_is_raised_as_it_is() -> None:
    body = Body(fails=True)
    response = streamed(CollectorSafeClient(transport=Transport(body)))
    with pytest.raises(httpx.ReadError, match="lost"):
        list(response.iter_lines())
    response.close()
    assert body.closed == 1


def test_closing_inside_another_request_waits_for_its_end() -> None:
    body = Body()
    response = streamed(CollectorSafeClient(transport=Transport(body)))
    other = Transport(Body())
    seen: list[int] = []
    other.inside = lambda: (response.close(), seen.append(body.closed))
    with CollectorSafeClient(transport=other) as client:
        client.get("http://127.0.0.1/")
    assert (seen, body.closed) == ([0], 1)


def test_closing_does_not_wait_for_another_threads_request() -> None:
    body, entered, leave = Body(), threading.Event(), threading.Event()
    response = streamed(CollectorSafeClient(transport=Transport(body)))
    slow = Transport(Body())
    slow.inside = lambda: (entered.set(), leave.wait(10))
    client = CollectorSafeClient(transport=slow)
    thread = threading.Thread(target=client.get, args=("http://127.0.0.1/",))
    thread.start()
    assert entered.wait(10)
    response.close()
    assert body.closed == 1
    leave.set()
    thread.join(10)


def test_what_fails_to_close_later_does_not_break_the_request() -> None:
    def fails() -> None:
        raise OSError("broken")

    closed = Body()
    transport = Transport(Body())
    transport.inside = lambda: (close_outside_httpcore(fails), close_outside_httpcore(closed.close))
    assert CollectorSafeClient(transport=transport).get("http://127.0.0.1/").text == "one\ntwo\n"
    assert closed.closed == 1
    with pytest.raises(OSError, match="broken"):
        close_outside_httpcore(fails)
