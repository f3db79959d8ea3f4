"""`python -m litellm.llms.remodlai doctor` with servers that are set up wrong, each as a new user has them."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from litellm.llms.remodlai.__main__ import main
from support.nova import answer
from support.recording import RecordingServer, Request, Response
from support.tls import authority

KEY = "sk-the-key-of-this-server"
MODEL = "remodlai/llama-3.1-70b-instruct"


@dataclass(frozen=True)
class SetUp:
    """What is wrong (`respond`, the base as a function of the server's URL, the key) and what the report says."""

    says: str
    respond: Callable[[Request], Response] = lambda request: answer(request, KEY)
    base: Callable[[str], str] = lambda url: url
    key: str = KEY
    model: str = MODEL
    tls: bool = False


PAGE = Response(body="<!DOCTYPE html><html><title>Sign in</title></html>", headers={"content-type": "text/html"})
AWAY = Response(status=307, headers={"location": "https://elsewhere.example/v1/models"})
WRONG = {
    "no key": SetUp("asks for a key; set api_key= or litellm.remodlai_key or REMODLAI_API_KEY", key=""),
    "another key": SetUp("refuses the key from REMODLAI_API_KEY", key="sk-another"),
    "another path": SetUp("is the path of the base from REMODLAI_API_BASE right?", base=lambda url: f"{url}/api/v3"),
    "a model that is not served": SetUp("llama-4 is not among them", model="remodlai/llama-4"),
    "a login page": SetUp('a web page ("Sign in")', respond=lambda request: PAGE),
    "another program": SetUp("not an OpenAI-compatible server", respond=lambda request: Response(json={"ok": True})),
    "a redirect": SetUp("name that server", respond=lambda request: AWAY),
    "a certificate of an unknown authority": SetUp("SSL_CERT_FILE", tls=True),
    "http for https": SetUp("https://", tls=True, base=lambda url: url.replace("https", "http")),
    "no scheme": SetUp("no scheme", base=lambda url: "vllm.internal:8000"),
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def use(base: str, key: str) -> None:
        for name in ("LEXIQ_NOVA_API_BASE", "LEXIQ_NOVA_API_KEY", "SSL_CERT_FILE", "SSL_VERIFY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("REMODLAI_API_BASE", base)
        monkeypatch.setenv("REMODLAI_API_KEY", key)

    return use


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named(
    name: str, environment: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = WRONG[name]
    with RecordingServer(wrong.respond, authority(tmp_path)[1] if wrong.tls else None) as server:
        environment(wrong.base(server.url), wrong.key)
        status = main(["doctor", wrong.model])
    told = capsys.readouterr().out
    assert (status, "wrong:" in told) == (1, True)
    assert wrong.says in told
    assert KEY not in told


def test_what_is_right(environment: Callable[..., None]) -> None:
    with RecordingServer(lambda request: answer(request, KEY)) as server:
        environment(server.url, KEY)
        command = [sys.executable, "-m", "litellm.llms.remodlai", "doctor", MODEL]
        done = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)
        asked = [(request.method, request.path) for request in server.take()]
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{server.url}/v1 (from REMODLAI_API_BASE)" in done.stdout
    assert "answers   yes" in done.stdout and "sql-adapter" in done.stdout
    assert asked == [("GET", "/v1/models")]
