"""What `pip install .` without extras installs is enough for every call, with tools and from the cache."""

import os
import subprocess
import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import pytest

from fork.releases import holds
from support import loopback, nova
from support.recording import RecordingServer

TESTS = Path(__file__).parents[1]


@pytest.mark.skipif(not holds(">=1.108", version("litellm")), reason="upstream's responses and tools need `mcp` before")
def test_no_call_needs_a_package_of_an_extra(server: RecordingServer) -> None:
    server.responder = lambda request: nova.answer(request, None)
    program = ["-W", "ignore", "-m", "support.without_extras", f"{TESTS}/edges/calls_without_extras.py", server.url]
    done = subprocess.run(
        [sys.executable, *program],
        env=loopback.child_env({**os.environ, "PYTHONPATH": f"{TESTS}"}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    chats = [request.json() for request in server.take() if request.path == "/v1/chat/completions"]
    asked = Counter("tools" in chat for chat in chats)
    # Chats and messages, in four ways by two providers: with tools each, without them twice. What is awaited may be in
    # the cache too late.
    assert asked[True] == 16
    assert 16 <= asked[False] < 32
