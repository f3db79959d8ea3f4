"""A port of loopback for a server process that is about to start."""

import socket


def hold_port() -> socket.socket:
    """A socket that holds a port until it is closed: bound but not listening, so a server with SO_REUSEADDR (uvicorn,
    vLLM, Redis) may bind it as well, and nobody is given it by chance."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return held
