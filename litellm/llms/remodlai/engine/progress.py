"""
Says what a local engine is doing, where people are: one line per stage, from the check of its options to its end.

The lines are INFO of the logger `lexiq_nova`. Where the program has not configured logging, they are written to stderr:
on a terminal as one line that moves, in a notebook as a display that changes. `LEXIQ_NOVA_QUIET=1` keeps them away.
"""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Final

from litellm.llms.remodlai.engine.download import Download
from litellm.llms.remodlai.engine.engine import Engine, end_of
from litellm.llms.remodlai.engine.log import stage
from litellm.llms.remodlai.engine.settings import is_quiet

LOGGER: Final = logging.getLogger("lexiq_nova")
# A stage that goes on for long is told again this often, where what it has done so far is known.
AGAIN_SECONDS: Final = 30.0
DOWNLOADING: Final = "downloading"


def printable(text: str) -> str:
    """Returns a text as one line that does nothing to a terminal: a model's name may have any character."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def tell(engine: Engine, words: str) -> None:
    """
    Writes a line about an engine.

    Args:
        engine: whose.
        words: behind its name.
    """
    say(_about(engine, words))


def _about(engine: Engine, words: str) -> str:
    return printable(f"lexiq_nova/{engine.model}: {words}")


def say(line: str) -> None:
    """
    Writes a line where people are.

    Args:
        line: of any characters.
    """
    shown: Final = printable(line)
    if LOGGER.hasHandlers():
        LOGGER.info("%s", shown)
    elif not is_quiet():
        sys.stderr.write(f"{shown}\n")
        sys.stderr.flush()


class _Terminal:
    """One line of a terminal, written over and over, and gone at the end."""

    def show(self, line: str) -> None:
        sys.stderr.write(f"\r\033[K{line}")
        sys.stderr.flush()

    def close(self, line: str) -> None:
        self.show("")


class _Notebook:
    """A display of the cell that runs: it changes, and stays with its last line."""

    def __init__(self, display: Callable[..., Any]) -> None:
        self._display = display
        self._handle: Any = None

    def show(self, line: str) -> None:
        if self._handle is None:
            self._handle = self._display({"text/plain": line}, raw=True, display_id=True)
        else:
            self._handle.update({"text/plain": line}, raw=True)

    close = show


def _screen() -> _Terminal | _Notebook | None:
    """What shows a line that changes; None where lines stand below each other, or none is wanted."""
    if LOGGER.hasHandlers() and LOGGER.isEnabledFor(logging.INFO) or is_quiet():
        return None
    ipython: Final = sys.modules.get("IPython")
    if ipython is not None and hasattr(ipython.get_ipython(), "kernel"):
        return _Notebook(ipython.display.display)
    return _Terminal() if bool(getattr(sys.stderr, "isatty", bool)()) else None


class Progress:
    """
    Tells whoever waits for an engine what it is waiting for.

    Args:
        engine: that is waited for.
        hear: is told each line, whether it is shown or not.
    """

    # Of many calls that wait for one engine, one tells.
    _telling: ClassVar[dict[Path, "Progress"]] = {}

    def __init__(self, engine: Engine, hear: Callable[[str], None] | None = None) -> None:
        self.engine = engine
        self.hear = hear
        self.began = self.since = self.told_at = time.monotonic()
        self.words = ""
        self.line = ""
        # What was told last, without and with the seconds; what of it this one has heard.
        self.told = self.heard = ("", "")
        self.download = Download(engine.model, {**os.environ, **dict(engine.environment)})
        self.screen: _Terminal | _Notebook | None = None

    def __enter__(self) -> "Progress":
        self.screen = _screen()
        return self

    def show(self, words: str | None = None) -> None:
        """
        Shows what is being waited for.

        Args:
            words: a few words; by default how far the engine has come by its log.
        """
        telling: Final = self._telling.setdefault(self.engine.folder, self)
        if telling is self:
            self._tell(words)
        if self.hear is not None and telling.told[0] != self.heard[0]:
            self.heard = telling.told
            self.hear(self.heard[1])

    def _tell(self, words: str | None) -> None:
        amount: Final = None if words else self.download.words()
        doing: Final = words or (DOWNLOADING if amount else stage(self.engine.log))
        now: Final = time.monotonic()
        is_new: Final = doing != self.words
        if is_new:
            self.words, self.since = doing, now
        detail: Final = f"{doing} {amount}" if amount else doing
        line: Final = _about(self.engine, f"{detail} ({self._seconds()} s)")
        if is_new or amount and now - self.told_at > AGAIN_SECONDS:
            self.told_at = now
            self.told = detail, line
            if self.screen is None:
                say(line)
        if self.screen is not None and line != self.line:
            self.screen.show(line)
            self.line = line

    def _seconds(self) -> int:
        return int(time.monotonic() - self.began)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        words: Final = f"ready after {self._seconds()} s" if error is None else "not ready"
        if self.hear is not None and error is None and self.heard[0]:
            self.hear(_about(self.engine, words))
        if self._telling.get(self.engine.folder) is not self:
            return
        del self._telling[self.engine.folder]
        if self.screen is not None:
            self.screen.close(_about(self.engine, words))
        elif error is None:
            tell(self.engine, words)

    @classmethod
    def of(cls, engine: Engine) -> "Progress | None":
        """Returns what this process knows of an engine that one of its calls waits for."""
        return cls._telling.get(engine.folder)


def how_far(engine: Engine) -> str:
    """Says what an engine that calls wait for is doing, and for how long: `still loading weights, 42 s`."""
    progress: Final = Progress.of(engine)
    if progress is None or not progress.words:
        return f"still {stage(engine.log)}"
    return f"still {progress.words}, {time.monotonic() - progress.since:.0f} s"


def tell_its_end(engine: Engine, process: "subprocess.Popen[bytes]") -> threading.Thread:
    """
    Tells, when the time comes, why an engine has ended: in the process that started it.

    Args:
        engine: that has just been started.
        process: its own. Of one that ends before it is ready, the error of its callers tells.

    Returns:
        The thread that waits for it.
    """

    def wait_and_tell() -> None:
        code: Final = process.wait()
        why: Final = end_of(engine.folder)
        if why is not None:
            tell(engine, f"has ended: {why}")
        elif engine.socket.exists():
            tell(engine, f"has ended: {signal.Signals(-code).name if code < 0 else f'exit status {code}'}")

    thread: Final = threading.Thread(target=wait_and_tell, name="lexiq-nova-end", daemon=True)
    thread.start()
    return thread
