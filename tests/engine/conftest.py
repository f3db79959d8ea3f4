"""What is around a test against a real server."""

from collections.abc import Iterator

import pytest

from support.vllm_server import ENDLESS, VLLMServer
from support.waiting import eventually


@pytest.fixture
def stopped_early(chat_server: VLLMServer) -> Iterator[None]:
    """Around a test that goes away in the middle of a generation: it ran, and the server gave it up."""

    def made() -> float:
        return chat_server.metrics()["vllm:generation_tokens_total"]

    # What a failed test before this one left running would be counted here.
    eventually(lambda: chat_server.running() == 0, 120)
    before = made()
    yield
    eventually(lambda: chat_server.running() == 0)
    assert 0 < made() - before < ENDLESS
