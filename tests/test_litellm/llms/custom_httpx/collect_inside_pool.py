"""
A process of its own for `test_collector_safe_client`: a stream is dropped in the middle, and the garbage collector
finds it where the next call's thread holds the lock of httpcore's pool.

Its argument is a provider. Exits 0 where the next calls are answered and the server saw the dropped stream closed.
"""

import contextlib
import faulthandler
import gc
import http.server
import json
import sys
import threading
import types
import weakref

from httpcore._sync.connection_pool import PoolRequest

import litellm

PATIENCE = 20
faulthandler.dump_traceback_later(3 * PATIENCE, exit=True)


def event(content: str, finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish_reason}
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return f"data: {json.dumps({**head, 'choices': [choice]})}\n\n".encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hung_up = threading.Event()

    def log_message(self, format: str, *args: object) -> None:
        return

    def chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for word in range(8):
            self.chunk(event(f"w{word} "))
        if asked["model"] == "endless":
            with contextlib.suppress(ConnectionResetError):  # what the client left unread resets the connection
                self.rfile.read(1)  # nothing comes: the client hangs up
            self.close_connection = True
            self.hung_up.set()
            return
        self.chunk(event("", "stop") + b"data: [DONE]\n\n")
        self.chunk(b"")


def collect(frame: types.FrameType, what: str, argument: object) -> None:
    if what == "call" and frame.f_code is PoolRequest.__init__.__code__:
        gc.collect()


def main(provider: str) -> None:
    gc.disable()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    call = {"api_base": f"http://127.0.0.1:{server.server_address[1]}/v1", "api_key": "key", "stream": True}
    call |= {"messages": [{"role": "user", "content": "Hello"}]}

    stream = litellm.completion(model=f"{provider}/endless", **call)
    for _ in range(4):
        next(stream)
    stream.itself = stream
    dropped = weakref.ref(stream)
    del stream

    sys.setprofile(collect)
    for _ in range(PATIENCE):  # LiteLLM's own threads may have the stream for a moment longer
        assert list(litellm.completion(model=f"{provider}/whole", **call))
        if dropped() is None:
            break
    sys.setprofile(None)
    assert dropped() is None, "the stream was not collected"
    assert Handler.hung_up.wait(PATIENCE), "the server did not see the stream closed"


if __name__ == "__main__":
    main(sys.argv[1])
