"""Ctrl-C in the middle of a stream: the connection is closed, and the next call works."""

import asyncio
import signal
import threading
from typing import Any

import pytest
from proxy.backend import FOREVER, SERVER_KEY, TEXT, chunk, serving

import litellm
from support.recording import RecordingServer, Request, Response, streamed

MESSAGES = [{"role": "user", "content": "Tell a long story."}]
WORDS = 5
CLOSED_SECONDS = 5.0
PRESSED_SECONDS = 0.3
"""How long after the last word that comes; the call waits for another one then."""

every_provider = pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])


def begun(request: Request) -> Response:
    """Some words, then nothing for a long time."""
    return streamed(*(chunk({"content": "word"}) for _ in range(WORDS)), FOREVER)


def press_ctrl_c() -> None:
    thread = threading.main_thread().ident
    assert thread is not None
    threading.Timer(PRESSED_SECONDS, signal.pthread_kill, (thread, signal.SIGINT)).start()


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@every_provider
def test_ctrl_c_in_a_stream(provider: str, asynchronous: bool) -> None:
    streams: list[Any] = []  # kept, as a traceback keeps them

    def read(call: dict[str, Any]) -> None:
        streams.append(litellm.completion(**call, stream=True))
        for number, _ in enumerate(streams[0], 1):
            if number == WORDS:
                press_ctrl_c()

    async def aread(call: dict[str, Any]) -> None:
        streams.append(await litellm.acompletion(**call, stream=True))
        number = 0
        async for _ in streams[0]:
            number += 1
            if number == WORDS:
                press_ctrl_c()

    with RecordingServer(begun) as server:
        call = {"model": f"{provider}/m", "api_base": server.url, "api_key": SERVER_KEY, "messages": MESSAGES}
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(aread(call)) if asynchronous else read(call)
        [request] = server.take()
        assert request.closed.wait(CLOSED_SECONDS), "the server goes on for nobody"

        server.responder = serving(SERVER_KEY)
        answer = asyncio.run(litellm.acompletion(**call)) if asynchronous else litellm.completion(**call)
        assert answer.choices[0].message.content == TEXT
