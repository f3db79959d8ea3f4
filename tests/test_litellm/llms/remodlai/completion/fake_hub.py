"""A model hub on loopback, as far as huggingface_hub asks one: which files a model has, and their bytes."""

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LARGE = 2**20
COMMIT = "0123456789abcdef0123456789abcdef01234567"
RESOLVED = re.compile(r"/(?P<model>[^/]+/[^/]+)/resolve/[^/]+/(?P<file>[^?]+)")
ASKED = re.compile(r"/api/models/(?P<model>[^/?]+/[^/?]+)(?P<what>/[^?]*)?")


class Hub:
    """
    What the hub has, and what it was asked for.

    Args:
        models: files by name, of each model.
        gated: models whose files only some may fetch.
    """

    def __init__(self, models: Mapping[str, Mapping[str, bytes]], gated: tuple[str, ...] = ()) -> None:
        self.models = models
        self.gated = gated
        self.fetched: list[str] = []
        # After how many bytes of its next large files it hangs up, what it does just before, and from where each began.
        self.cuts: list[tuple[int, Callable[[], object]]] = []
        self.starts: list[int] = []
        self.url = ""

    def description(self, model: str) -> dict[str, Any]:
        files = [
            {"rfilename": name, "size": len(data), "blobId": hashlib.sha1(data).hexdigest()}
            for name, data in self.models[model].items()
        ]
        return {"_id": "1", "id": model, "sha": COMMIT, "siblings": files, "tags": [], "downloads": 0, "likes": 0}

    def tree(self, model: str) -> list[dict[str, Any]]:
        return [
            {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
            for name, data in self.models[model].items()
        ]


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: what was fetched is in `hub.fetched`."""

        def _send(self, status: int, body: bytes, headers: Mapping[str, str], size: int | None = None) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body) if size is None else size)}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, with_body: bool) -> None:
            asked, resolved = ASKED.match(self.path), RESOLVED.match(self.path)
            model = (asked or resolved or {"model": ""})["model"]
            if model not in hub.models:
                self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
            elif asked:
                about = hub.tree(model) if (asked["what"] or "").startswith("/tree") else hub.description(model)
                self._send(200, json.dumps(about).encode(), {"Content-Type": "application/json"})
            elif model in hub.gated:
                self._send(403, b"", {"X-Error-Code": "GatedRepo"})
            elif resolved:
                self._file(hub.models[model][resolved["file"]], resolved["file"], with_body)

        def _file(self, data: bytes, name: str, with_body: bool) -> None:
            headers = {"ETag": f'"{hashlib.sha1(data).hexdigest()}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
            if not with_body:
                self._send(200, b"", headers, len(data))
                return
            hub.fetched.append(name)
            start = int((re.match(r"bytes=(\d+)-", self.headers.get("Range", "")) or ["", "0"])[1])
            part = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
            rest = data[start:]
            if len(data) < LARGE:
                self._send(206 if start else 200, rest, {**headers, **part})
                return
            hub.starts.append(start)
            length, before_cut = hub.cuts.pop(0) if hub.cuts else (len(rest), None)
            self._send(206 if start else 200, rest[:length], {**headers, **part}, len(rest))
            if before_cut is not None:
                before_cut()
                self.close_connection = True

    return Handler


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Runs the hub; its `url` is what HF_ENDPOINT names."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
