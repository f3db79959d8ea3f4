"""The server that the calls go to."""

from collections.abc import Iterator

import pytest

import litellm
from support.recording import RecordingServer, Response


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    """Refuses until a test says otherwise; no client of another test is left."""
    litellm.in_memory_llm_clients_cache.flush_cache()
    with RecordingServer(lambda request: Response(400, json={"error": {"message": "refused"}})) as running:
        yield running
    litellm.in_memory_llm_clients_cache.flush_cache()
