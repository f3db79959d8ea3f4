"""A headless Chromium, driven over its DevTools protocol, that reaches loopback only."""

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import connect

from support.waiting import eventually

OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
WAIT_SECONDS = 60.0


class Browser:
    """One page; a context manager.

    Args:
        profile: an empty directory.
    """

    def __init__(self, profile: Path) -> None:
        self._profile = profile
        self._numbers = itertools.count(1)

    def __enter__(self) -> "Browser":
        self._process = subprocess.Popen(
            ["chromium", *OPTIONS, "--remote-debugging-port=0", f"--user-data-dir={self._profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            told = self._profile / "DevToolsActivePort"
            eventually(lambda: told.exists() and told.read_text().count("\n") >= 1, WAIT_SECONDS)
            port = told.read_text().splitlines()[0]
            [page] = [page for page in httpx.get(f"http://127.0.0.1:{port}/json").json() if page["type"] == "page"]
            self._socket = connect(page["webSocketDebuggerUrl"], max_size=None)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def command(self, method: str, **params: Any) -> Any:
        """One command of the protocol; returns its result."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(timeout=WAIT_SECONDS))
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]

    def open(self, url: str) -> None:
        self.command("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = self.command("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, script: str) -> Any:
        """The value of an expression once it is true; the page's text is in the message if it never is."""
        try:
            return eventually(lambda: self.run(script), WAIT_SECONDS, lambda: script)
        except TimeoutError as error:
            raise TimeoutError(f"{error}: {self.run('document.body.innerText')}") from None
