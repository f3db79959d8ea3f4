"""A call of Anthropic messages does not load the proxy where none is running; where one is, its Router is asked."""

import os
import subprocess
import sys
import types
from collections.abc import Iterator

import pytest

from support.recording import RecordingServer, streamed
from support.vllm_answers import chunk

try:
    from litellm.llms.anthropic.messages.adapters import handler
except ModuleNotFoundError:  # before 1.109
    from litellm.llms.anthropic.pass_through.adapters import handler

CHUNK = chunk({"role": "assistant", "content": "one"}, "stop")
CALL = """
import asyncio, sys
import litellm

call = dict(model=sys.argv[1], messages=[{"role": "user", "content": "Count."}], max_tokens=9, stream=True)
call |= dict(api_base=sys.argv[2], api_key="key")

async def ask():
    return [event async for event in await litellm.anthropic.messages.acreate(**call)]

read = asyncio.run(ask()) if sys.argv[3] == "async" else list(litellm.anthropic.messages.create(**call))
assert b"one" in b"".join(read), read
assert "litellm.proxy.proxy_server" not in sys.modules
assert not litellm.callbacks, litellm.callbacks
"""


@pytest.fixture
def chatting() -> Iterator[RecordingServer]:
    with RecordingServer(lambda request: streamed(CHUNK)) as running:
        yield running


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_no_proxy_is_loaded(chatting: RecordingServer, provider: str, kind: str) -> None:
    arguments = [f"{provider}/m", f"{chatting.url}/v1", kind]
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    done = subprocess.run([sys.executable, "-c", CALL, *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_running_proxys_router_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    router = object()
    proxy = types.ModuleType("litellm.proxy.proxy_server")
    vars(proxy)["llm_router"] = router
    monkeypatch.setitem(sys.modules, "litellm.proxy.proxy_server", proxy)
    assert handler._proxy_router_fallback() is router
