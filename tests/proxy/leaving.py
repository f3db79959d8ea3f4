"""A client that goes away in the middle of its call."""

import json
import socket
from typing import Any

from proxy.gateway import Gateway

SECONDS = 1.0
"""How long after its client a call may still run: the bound of the proxy's issue."""


class Client:
    """A client that sends one request and can go away; the socket is its own, so nothing tidies up behind it."""

    def __init__(self, gateway: Gateway, path: str, body: dict[str, Any]) -> None:
        host, port = gateway.url.removeprefix("http://").split(":")
        data = json.dumps(body).encode()
        lines = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Authorization: Bearer {gateway.key}"]
        lines += ["Content-Type: application/json", f"Content-Length: {len(data)}", "", ""]
        self.socket = socket.create_connection((host, int(port)), timeout=60)
        self.socket.sendall("\r\n".join(lines).encode() + data)

    def read_until(self, text: bytes) -> None:
        got = b""
        while text not in got:
            data = self.socket.recv(4096)
            assert data, got
            got += data

    def leave(self) -> None:
        self.socket.close()
