"""A recording HTTP/1.1 server on loopback: keeps every request as it came over the wire, answers what it is told.

    with RecordingServer(lambda request: Response(json={"ok": True})) as server:
        httpx.post(f"{server.url}/v1/chat/completions", json={"model": "m"})
        assert server.requests[0].json() == {"model": "m"}

The responder is called with each Request, in the server's thread, and returns a Response. Reassign
`server.responder` at any time; `server.take()` returns the requests recorded so far and forgets them.

A streamed answer is a Response with `chunks`: an iterable, consumed as it is sent, of
    bytes or str    one chunk of a chunked body (`sse(...)` makes them)
    a number        a pause in seconds
    CUT             the connection is closed in the middle of the body
A client that goes away early stops the iterable and sets `request.closed`; one that reads slowly slows it down.
`request.sent` counts the chunks sent.
"""

import asyncio
import email.parser
import email.policy
import json as jsonlib
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

CUT = object()
"""In `Response.chunks`: close the connection here, without the end of the body."""

_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error"}


@dataclass(frozen=True)
class Part:
    """One part of a multipart body: its name, file name (None for a plain field), headers and content."""

    name: str | None
    filename: str | None
    headers: tuple[tuple[str, str], ...]
    content: bytes


@dataclass(eq=False)
class Request:
    """One request as it came: `target` is the raw request target, `headers` keep their order and spelling."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    sent: int = 0
    closed: threading.Event = field(default_factory=threading.Event)

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    def header(self, name: str) -> str | None:
        """The first header of that name, whatever its spelling, or None."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def json(self) -> Any:
        return jsonlib.loads(self.body)

    def parts(self) -> list[Part]:
        """The parts of a multipart body, in order; an empty list where the body is not multipart."""
        content_type = self.header("content-type") or ""
        if not content_type.startswith("multipart/"):
            return []
        head = f"Content-Type: {content_type}\r\n\r\n".encode()
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + self.body)
        return [
            Part(
                name=part.get_param("name", header="content-disposition"),
                filename=part.get_filename(),
                headers=tuple((key.lower(), str(value)) for key, value in part.items()),
                content=part.get_payload(decode=True),
            )
            for part in message.iter_parts()
        ]


@dataclass(frozen=True)
class Response:
    """An answer: `json` or `body` or `chunks` (see the module's docstring), sent `delay` seconds late.

    `cut=True` closes the connection instead of answering at all.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    body: bytes | str = b""
    chunks: Iterable[Any] | None = None
    delay: float = 0.0
    cut: bool = False

    def plain(self) -> tuple[dict[str, str], bytes]:
        """Headers and body of an answer that is not streamed."""
        if self.json is not None:
            return {"content-type": "application/json", **self.headers}, jsonlib.dumps(self.json).encode()
        return dict(self.headers), self.body.encode() if isinstance(self.body, str) else self.body


def sse(*events: Any, done: bool = True) -> list[Any]:
    """Server-sent events, one chunk each: dicts and lists as JSON data lines, str as it is, anything else
    (pauses, CUT, bytes) untouched; `data: [DONE]` at the end unless `done=False`."""
    chunks = [f"data: {jsonlib.dumps(event)}\n\n" if isinstance(event, (dict, list)) else event for event in events]
    return [*chunks, "data: [DONE]\n\n"] if done else chunks


def streamed(*events: Any, done: bool = True, **kwargs: Any) -> Response:
    """A Response that streams `events` as `text/event-stream` (see `sse`)."""
    headers = {"content-type": "text/event-stream", **kwargs.pop("headers", {})}
    return Response(chunks=sse(*events, done=done), headers=headers, **kwargs)


def events_in(parts: Iterable[bytes | str]) -> list[Any]:
    """What the events of a stream say, which was read in parts of any size: `sse` backwards."""
    data = b"".join(part if isinstance(part, bytes) else str(part).encode() for part in parts).decode()
    return [jsonlib.loads(line[5:]) for line in data.splitlines() if line.startswith("data:")]


Responder = Callable[[Request], Response]


class _Connection(asyncio.Protocol):
    """One client connection: requests are read and answered one after the other (keep-alive)."""

    def __init__(self, server: "RecordingServer") -> None:
        self.server = server
        self.buffer = b""
        self.answering: asyncio.Task[None] | None = None
        self.request: Request | None = None
        self.is_read = asyncio.Event()
        self.is_read.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def pause_writing(self) -> None:
        self.is_read.clear()

    def resume_writing(self) -> None:
        self.is_read.set()

    def connection_lost(self, error: Exception | None) -> None:
        if self.answering:
            self.answering.cancel()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self.next_request()

    def next_request(self) -> None:
        if self.answering or not (parsed := _parse(self.buffer)):
            return
        request, self.buffer = parsed
        self.server.requests.append(request)
        self.answering = asyncio.get_running_loop().create_task(self.answer(request))

    async def answer(self, request: Request) -> None:
        finished = False
        try:
            finished = await self.send(request, self.server.responder(request))
        except Exception as error:  # a mistake in a test's responder: kept for the test, told to the client
            self.server.errors.append(error)
            self.transport.write(_head(500, {"content-length": "0", "x-responder-error": type(error).__name__}))
        finally:
            self.answering = None
            if not finished:
                request.closed.set()
                self.transport.close()
        self.next_request()

    async def send(self, request: Request, response: Response) -> bool:
        """Send the answer; False where the connection is to be closed in its middle."""
        if response.delay:
            await asyncio.sleep(response.delay)
        if response.cut:
            return False
        if response.chunks is None:
            headers, body = response.plain()
            self.transport.write(_head(response.status, {**headers, "content-length": str(len(body))}) + body)
            return True
        self.transport.write(_head(response.status, {**response.headers, "transfer-encoding": "chunked"}))
        for item in response.chunks:
            if item is CUT:
                return False
            if isinstance(item, (int, float)):
                await asyncio.sleep(item)
                continue
            data = item.encode() if isinstance(item, str) else item
            self.transport.write(b"%x\r\n%b\r\n" % (len(data), data))
            request.sent += 1
            await asyncio.sleep(0)  # one read of the client may hold several chunks, as on a real network
            await self.is_read.wait()
        self.transport.write(b"0\r\n\r\n")
        return True


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}", *(f"{k}: {v}" for k, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _parse(data: bytes) -> tuple[Request, bytes] | None:
    """The first whole request in `data` and what follows it, or None while it is incomplete."""
    head, end, rest = data.partition(b"\r\n\r\n")
    if not end:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    lowered = {name.lower(): value for name, value in headers}
    if "chunked" in lowered.get("transfer-encoding", ""):
        body, complete = b"", False
        while not complete:
            size, end, rest = rest.partition(b"\r\n")
            if not end or len(rest) < int(size, 16) + 2:
                return None
            complete, body, rest = int(size, 16) == 0, body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    else:
        length = int(lowered.get("content-length", 0))
        if len(rest) < length:
            return None
        body, rest = rest[:length], rest[length:]
    return Request(method, target, headers, body), rest


class RecordingServer:
    """The server (see the module's docstring); a context manager, or `start()` and `stop()`.

    Attributes: `url` (`http://127.0.0.1:<port>`, no path; `https` with `tls`), `port`, `requests`, `errors` (what the
    responder raised), `responder`.
    """

    def __init__(
        self,
        responder: Responder | None = None,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.tls = tls
        self.host = host
        self.responder: Responder = responder or (lambda request: Response(json={}))
        self.requests: list[Request] = []
        self.errors: list[Exception] = []
        self.port = port
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True, name="recording")

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://{self.host}:{self.port}"

    def take(self) -> list[Request]:
        """The requests recorded since the last call, in order of arrival; raises what the responder raised."""
        taken, self.requests = self.requests, []
        if self.errors:
            raise self.errors.pop()
        return taken

    def start(self) -> "RecordingServer":
        self._thread.start()
        self._ready.wait()
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await self._loop.create_server(
            lambda: _Connection(self), self.host, self.port, backlog=512, ssl=self.tls
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()

    def __enter__(self) -> "RecordingServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def replay(responses: Iterable[Response]) -> Responder:
    """A responder that gives `responses` in order and repeats the last one."""
    waiting: Iterator[Response] = iter(responses)
    last: list[Response] = []

    def respond(request: Request) -> Response:
        last[:] = [next(waiting, *last)]
        return last[0]

    return respond
