"""
An httpx client whose streams the garbage collector may find at any time, without the process waiting for itself.

httpcore closes a stream that is collected, and takes its pool's lock for that. The collector runs between any two
instructions of a thread, also where the thread holds that very lock: it then waits for itself, for good
(https://github.com/encode/httpcore/discussions/990). Here, what is to be closed while its thread is inside httpcore is
closed when the thread has left it.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

import httpx

from litellm._logging import verbose_logger

if TYPE_CHECKING:
    from httpx._client import UseClientDefault
    from httpx._types import AuthTypes

# Closing that met its thread inside httpcore. Appending and taking need no lock.
_LATER: Final[deque[Callable[[], None]]] = deque()
# Iterators of httpcore's that are being read: the collector must not end them before their reader, outside httpcore.
_BEING_READ: Final[set[Iterator[bytes]]] = set()


class _Httpcore(threading.local):
    """Inside `with`, its thread is inside httpcore."""

    depth = 0

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, *_: object) -> None:
        self.depth -= 1
        while _LATER and not self.depth:
            self._close_next()

    def _close_next(self) -> None:
        self.depth += 1
        try:
            _LATER.popleft()()
        except IndexError:
            pass  # another thread has closed the last one
        except Exception as error:  # noqa: BLE001  # a dropped stream must not break the request that closes it
            verbose_logger.debug("a dropped stream could not be closed: %s", error)
        finally:
            self.depth -= 1


_HTTPCORE: Final = _Httpcore()


def close_outside_httpcore(close: Callable[[], None]) -> None:
    """
    Closes a stream, at once where the thread is outside httpcore, else as soon as a thread leaves it.

    Args:
        close: closes the stream; what it raises is raised here where it is called at once.
    """
    if _HTTPCORE.depth:
        _LATER.append(close)
    else:
        with _HTTPCORE:
            close()


class _Stream(httpx.SyncByteStream):
    """The body of a response, closed outside httpcore whoever closes it: its reader, or the collector."""

    def __init__(self, body: httpx.SyncByteStream) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        parts: Final = iter(self._body)
        _BEING_READ.add(parts)
        try:
            while True:
                with _HTTPCORE:
                    part = next(parts, None)
                if part is None:
                    return
                yield part
        finally:
            _BEING_READ.discard(parts)
            if (end := getattr(parts, "close", None)) is not None:
                close_outside_httpcore(end)

    def close(self) -> None:
        close_outside_httpcore(self._body.close)


class CollectorSafeClient(httpx.Client):
    """An `httpx.Client` whose streams may be dropped before their end, and collected in any thread."""

    def send(
        self,
        request: httpx.Request,
        *,
        stream: bool = False,
        auth: "AuthTypes | UseClientDefault | None" = httpx.USE_CLIENT_DEFAULT,
        follow_redirects: "bool | UseClientDefault" = httpx.USE_CLIENT_DEFAULT,
    ) -> httpx.Response:
        """As httpx's, with a body that is closed outside httpcore."""
        with _HTTPCORE:
            response: Final = super().send(request, stream=stream, auth=auth, follow_redirects=follow_redirects)
        if stream and isinstance(response.stream, httpx.SyncByteStream):
            response.stream = _Stream(response.stream)
        return response

    def close(self) -> None:
        """As httpx's."""
        with _HTTPCORE:
            super().close()
