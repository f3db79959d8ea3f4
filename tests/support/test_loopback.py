"""The loopback guard: other hosts are refused, in this process and in its Python children, loopback is not."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support import loopback
from support.recording import RecordingServer

ELSEWHERE = "192.0.2.1"  # an address for documentation: nobody has it


def udp() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


async def asyncio_connects() -> None:
    await asyncio.open_connection(ELSEWHERE, 80)


def uvloop_connects() -> None:
    uvloop = pytest.importorskip("uvloop")
    uvloop.run(asyncio_connects())


@pytest.fixture(autouse=True)
def refusals() -> Iterator[None]:
    """These tests provoke refusals."""
    yield
    loopback.take()


@pytest.mark.parametrize(
    "reach",
    [
        lambda: socket.create_connection((ELSEWHERE, 80)),
        lambda: socket.socket().connect((ELSEWHERE, 80)),
        lambda: socket.socket().connect_ex((ELSEWHERE, 80)),
        lambda: udp().sendto(b"", (ELSEWHERE, 80)),
        lambda: udp().sendmsg([b""], [], 0, (ELSEWHERE, 80)),
        lambda: socket.getaddrinfo("example.com", 80),
        lambda: socket.gethostbyname("example.com"),
        lambda: asyncio.run(asyncio_connects()),
        uvloop_connects,
    ],
)
def test_other_hosts_are_refused(reach: Callable[[], object]) -> None:
    with pytest.raises(loopback.of_this_process().NotLoopback, match=r"192\.0\.2\.1|example\.com"):
        reach()
    assert loopback.take()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "", None, "0.0.0.0", b"localhost"])
def test_loopback_is_allowed(host: object) -> None:
    assert loopback.is_loopback(host)


def test_connections_on_loopback_work(tmp_path: Path) -> None:
    with RecordingServer() as server:
        socket.create_connection(("localhost", server.port)).close()
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as calling:
        listening.bind(path)
        listening.listen()
        calling.connect(path)
    assert loopback.take() == []


def child(**env: str) -> subprocess.CompletedProcess[str]:
    program = f"import socket; socket.socket().connect_ex(('{ELSEWHERE}', 9)) if GUARDED else print('open')"
    guarded = "import sys; GUARDED = hasattr(sys, '_loopback_only')"
    command = [sys.executable, "-c", f"{guarded}\n{program}"]
    return subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True)


def test_python_children_are_guarded() -> None:
    ended = child()
    assert ended.returncode != 0
    assert f"of '{ELSEWHERE}' refused" in ended.stderr


def test_a_child_may_be_left_out() -> None:
    assert child(LOOPBACK_ONLY="0").stdout == "open\n"
