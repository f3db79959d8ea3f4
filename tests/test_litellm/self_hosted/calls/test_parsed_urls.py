"""The URL of a server is parsed once."""

from typing import Any

import httpx
import pytest

from support.plain_calls import Ask
from support.recording import RecordingServer


async def test_the_url_of_a_server_is_parsed_once(
    ask: Ask, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask()
    server.take()
    parsed = []
    parse = httpx._urls.urlparse

    def parsing(url: str = "", **parts: Any) -> Any:
        parsed.append(url)
        return parse(url, **parts)

    monkeypatch.setattr(httpx._urls, "urlparse", parsing)
    await ask()
    assert f"{server.url}/v1/chat/completions" not in parsed
    assert [request.path for request in server.take()] == ["/v1/chat/completions"]
