"""
`python -m litellm.llms.remodlai doctor` where no server is needed, and the words for the causes that it knows.
"""

import socket
import ssl

import httpx
import pytest

import litellm
from litellm.llms.remodlai import doctor
from litellm.llms.remodlai.__main__ import main
from litellm.llms.remodlai.common_utils import HostedLexiqNova, LexiqNova
from litellm.llms.remodlai.diagnosis import (
    NO_AUTHORITY,
    OTHER_NAME,
    SPEAKS_PLAIN,
    why_unreachable,
    why_unreadable,
)
from litellm.llms.remodlai.places import LOCAL_ENGINE


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (ssl.SSLCertVerificationError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate"), NO_AUTHORITY),
        (
            ssl.SSLCertVerificationError("[SSL: CERTIFICATE_VERIFY_FAILED] failed: Hostname mismatch, not for 'a'"),
            OTHER_NAME,
        ),
        (ssl.SSLError("[SSL: WRONG_VERSION_NUMBER] wrong version number"), SPEAKS_PLAIN),
        (socket.gaierror(-2, "Name or service not known"), "no host of that name"),
        (ConnectionRefusedError(111, "Connection refused"), "nothing listens"),
        (httpx.ConnectTimeout("timed out"), "in time"),
        (ValueError("something else"), "ValueError: something else"),
    ],
)
def test_the_cause_is_found_behind_the_error(cause: Exception, words: str) -> None:
    error = httpx.ConnectError("Connection error.")
    error.__cause__ = cause
    expected = words if not isinstance(cause, ValueError) or isinstance(cause, ssl.SSLError) else "Connection error."
    assert expected in why_unreachable(error)
    assert words in why_unreachable(cause)


def test_a_page_for_people() -> None:
    assert '"Sign in"' in str(why_unreadable("<!DOCTYPE html><html><title>Sign in</title>"))
    assert why_unreadable('{"error": "<html>"}') is None


def test_no_server_and_no_vllm(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(doctor, "is_installed", lambda python: False)

    assert main(["doctor", "remodlai/m"]) == 1
    told = capsys.readouterr().out
    assert "pip install vllm" in told and "REMODLAI_API_BASE" in told


@pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])
def test_a_call_without_a_server_and_vllm_names_both_ways_out(without_vllm: None, provider: str) -> None:
    with pytest.raises(litellm.BadRequestError, match="LEXIQ_NOVA_API_BASE.*pip install vllm"):
        litellm.completion(model=f"{provider}/m", messages=[{"role": "user", "content": "Hello"}])


def test_an_interpreter_without_vllm(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LEXIQ_NOVA_PYTHON", "/no/such/python")

    assert main(["doctor", "lexiq_nova/m"]) == 1
    assert "LEXIQ_NOVA_PYTHON" in capsys.readouterr().out


def test_nothing_listens(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take it meanwhile
        assert main(["doctor", "--api-base", f"http://127.0.0.1:{held.getsockname()[1]}"]) == 1
    assert "nothing listens" in capsys.readouterr().out


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("REMODLAI_API_KEY", "sk-a-secret-that-nobody-may-see-1234")
    for base, said in (
        ("http://user:password@127.0.0.1:1/v1", "ends in 1234"),
        ("user:password@localhost/v1?token=hidden", "from REMODLAI_API_BASE cannot be used: it has no scheme"),
    ):
        monkeypatch.setenv("REMODLAI_API_BASE", base)
        assert main(["doctor"]) == 1
        told = capsys.readouterr().out
        assert said in told
        assert not any(secret in told for secret in ("nobody", "password", "hidden"))


@pytest.mark.parametrize("provider", ["remodlai", "lexiq_nova"])
@pytest.mark.parametrize("name", ["litellm.api_base", "REMODLAI_API_BASE", "LEXIQ_NOVA_API_BASE"])
def test_it_names_the_place_that_a_call_looks_at(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], provider: str, name: str
) -> None:
    monkeypatch.setattr("litellm.llms.remodlai.engine.engine.is_installed", lambda python: True)
    if name == "litellm.api_base":
        monkeypatch.setattr("litellm.api_base", "http://[::1]:9/v1")
    else:
        monkeypatch.setenv(name, "http://[::1]:9/v1")
    identity = HostedLexiqNova if provider == "remodlai" else LexiqNova

    main(["doctor", f"{provider}/m"])

    is_used = identity.resolve()[0] != LOCAL_ENGINE
    assert (f"(from {name})" in capsys.readouterr().out) == is_used
