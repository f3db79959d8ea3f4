"""What is around a test against a real server."""

from collections.abc import Iterator

import pytest
from engine.hosted import until

from support.vllm_server import ENDLESS, VLLMServer


@pytest.fixture
def stopped_early(chat_server: VLLMServer) -> Iterator[None]:
    """Around a test that goes away in the middle of a generation: it ran, and the server gave it up."""

    def made() -> float:
        return chat_server.metrics()["vllm:generation_tokens_total"]

    # What a failed test before this one left running would be counted here.
    assert until(lambda: chat_server.running() == 0, seconds=120)
    before = made()
    yield
    assert until(lambda: chat_server.running() == 0), "the server still generates"
    assert 0 < made() - before < ENDLESS
