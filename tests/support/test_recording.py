"""The recording server: what it records, and each way in which it can answer."""

import json
import os
import socket
from collections.abc import Iterator

import httpx
import pytest

from support.recording import CUT, RecordingServer, Request, Response, replay, streamed


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


def test_records_the_request_as_it_came(server: RecordingServer) -> None:
    httpx.put(f"{server.url}/a/b?x=1&y=&x=2", json={"k": "ü"}, headers={"X-Odd-Case": "v"})
    [request] = server.take()
    assert (request.method, request.path) == ("PUT", "/a/b")
    assert request.query == [("x", "1"), ("y", ""), ("x", "2")]
    assert ("X-Odd-Case", "v") in request.headers
    assert request.header("x-odd-case") == "v"
    assert request.json() == {"k": "ü"}
    assert server.take() == []


def test_multipart_parts(server: RecordingServer) -> None:
    content = os.urandom(3000) + b"\r\n--\r\n\r\n"
    httpx.post(server.url, files={"file": ("a.wav", content, "audio/wav")}, data={"model": "m"})
    field, file = server.take()[0].parts()
    assert (field.name, field.filename, field.content) == ("model", None, b"m")
    assert (file.name, file.filename, file.content) == ("file", "a.wav", content)
    assert ("content-type", "audio/wav") in file.headers


def test_chunked_request_body(server: RecordingServer) -> None:
    httpx.post(server.url, content=iter([b"ab", b"cdef"]))
    assert server.take()[0].body == b"abcdef"


def test_several_requests_on_one_connection(server: RecordingServer) -> None:
    server.responder = lambda request: Response(json={"path": request.path})
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n")
        received = b""
        while b'"/2"' not in received:
            received += connection.recv(4096)
    assert [request.path for request in server.take()] == ["/1", "/2"]


def test_status_headers_and_body(server: RecordingServer) -> None:
    server.responder = lambda request: Response(status=429, headers={"retry-after": "7"}, body="slow down")
    response = httpx.get(server.url)
    assert (response.status_code, response.headers["retry-after"], response.text) == (429, "7", "slow down")


def test_stream(server: RecordingServer) -> None:
    server.responder = lambda request: streamed({"a": 1}, 0.001, ": comment\n\n", {"b": 2})
    response = httpx.get(server.url)
    assert response.headers["content-type"] == "text/event-stream"
    assert response.text == 'data: {"a": 1}\n\n: comment\n\ndata: {"b": 2}\n\ndata: [DONE]\n\n'
    [request] = server.take()
    assert request.sent == 4
    assert not request.closed.is_set()


def test_cut_off_stream(server: RecordingServer) -> None:
    server.responder = lambda request: streamed({"a": 1}, CUT)
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(server.url)


def test_no_answer(server: RecordingServer) -> None:
    server.responder = lambda request: Response(cut=True)
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(server.url)


def test_client_that_goes_away_stops_the_stream(server: RecordingServer) -> None:
    def forever() -> Iterator[bytes | float]:
        while True:
            yield b"x" * 1000
            yield 0.001

    server.responder = lambda request: Response(chunks=forever())
    with httpx.stream("GET", server.url) as response:
        next(response.iter_raw())
    [request] = server.take()
    assert request.closed.wait(5)


def test_mistake_in_a_responder_reaches_the_test(server: RecordingServer) -> None:
    def broken(request: Request) -> Response:
        raise LookupError("mine")

    server.responder = broken
    assert httpx.get(server.url).status_code == 500
    with pytest.raises(LookupError, match="mine"):
        server.take()


def test_replay_repeats_the_last(server: RecordingServer) -> None:
    server.responder = replay([Response(status=500), Response(json=1), Response(json=2)])
    assert [httpx.get(server.url).status_code for _ in range(4)] == [500, 200, 200, 200]
    assert json.loads(httpx.get(server.url).text) == 2
