"""Cookies are searched only where an answer sets one."""

from dataclasses import replace
from http.cookiejar import DefaultCookiePolicy

import httpx
import pytest

import litellm
import litellm.utils
from litellm.llms.custom_httpx.http_handler import HTTPHandler
from support.plain_calls import MESSAGES, MODEL, Ask, Counter, answer
from support.recording import RecordingServer


async def test_cookies_are_searched_only_in_an_answer_that_sets_one(
    ask: Ask, server: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask()
    searches = Counter(monkeypatch, httpx.Cookies, "extract_cookies")
    await ask()
    assert searches.count == 0
    monkeypatch.setattr(
        server, "responder", lambda request: replace(answer(request), headers={"set-cookie": "session=1; Path=/"})
    )
    server.take()
    await ask()
    await ask()
    assert searches.count == 2
    assert [request.header("cookie") for request in server.take()] == [None, None]


def test_a_client_whose_jar_keeps_cookies_keeps_them(server: RecordingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        server, "responder", lambda request: replace(answer(request), headers={"set-cookie": "session=1; Path=/"})
    )
    handler = HTTPHandler()
    handler.client.cookies.jar.set_policy(DefaultCookiePolicy())
    server.take()
    for _ in range(2):
        litellm.completion(f"hosted_vllm/{MODEL}", MESSAGES, api_base=f"{server.url}/v1", api_key="key", client=handler)
    assert [request.header("cookie") for request in server.take()] == [None, "session=1"]
