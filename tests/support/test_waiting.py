"""The tests' waiter."""

import pytest

from support.recording import RecordingServer, Response
from support.waiting import eventually, until_it_serves


def test_what_held_is_returned() -> None:
    answers = iter([0, "", "yes", "no"])
    assert eventually(lambda: next(answers), 30) == "yes"
    assert next(answers) == "no"


def test_what_never_holds_is_said() -> None:
    with pytest.raises(TimeoutError, match="no engine"):
        eventually(lambda: False, 0, lambda: "no engine")
    with pytest.raises(TimeoutError, match="within 0 s"):
        eventually(lambda: False, 0)


def test_a_server_that_was_started() -> None:
    answers = iter([Response(503), Response(200)])
    with RecordingServer(lambda request: next(answers)) as server:
        until_it_serves(f"{server.url}/health", lambda: True, 30, str)
        assert [request.path for request in server.take()] == ["/health"] * 2
    with pytest.raises(RuntimeError, match="ended before it was ready:\nno such model"):
        until_it_serves(server.url, lambda: False, 30, lambda: "no such model")
    with pytest.raises(TimeoutError, match="not ready after 0 s"):
        until_it_serves(server.url, lambda: True, 0, str)
