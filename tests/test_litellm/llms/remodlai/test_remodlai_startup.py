"""What a proxy says at its start about its deployments."""

from types import SimpleNamespace

import pytest

from litellm.llms.remodlai import startup
from litellm.llms.remodlai.engine import progress

KEY = "sk-0123456789abcdef"


def said(capsys: pytest.CaptureFixture[str], *models: tuple[str, dict[str, object]]) -> list[str]:
    deployments = [{"model_name": name, "litellm_params": {"api_key": KEY, **params}} for name, params in models]
    startup.say_deployments(SimpleNamespace(model_list=deployments))
    text = capsys.readouterr().err
    assert KEY not in text
    return text.splitlines()


@pytest.fixture(autouse=True)
def no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REMODLAI_API_BASE", "LEXIQ_NOVA_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(progress.LOGGER, "hasHandlers", lambda: False)


def test_each_deployment_with_its_server_and_where_that_was_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REMODLAI_API_BASE", "https://nova.example")
    own = {"model": "remodlai/m", "api_base": "http://user:secret@10.0.0.1:8000/v1"}
    assert said(
        capsys,
        ("own", own),
        ("by variable", {"model": "remodlai/m"}),
        ("here", {"model": "lexiq_nova/org/m"}),
        ("named apart", {"model": "m", "custom_llm_provider": "lexiq_nova"}),
        ("other", {"model": "openai/gpt-4o"}),
        ("wrong", {"model": "remodlai/m", "api_base": "ftp://nova.example"}),
    ) == [
        "deployment own (remodlai/m): http://…@10.0.0.1:8000/v1 (from its api_base)",
        "deployment by variable (remodlai/m): https://nova.example/v1 (from REMODLAI_API_BASE)",
        "deployment here (lexiq_nova/org/m): an engine of this machine, which its first call starts",
        "deployment named apart (lexiq_nova/m): an engine of this machine, which its first call starts",
        "warning: deployment wrong (remodlai/m) cannot be called: remodlai: the base 'ftp://nova.example' from the "
        "api_base of the call or deployment cannot be used: its scheme must be https:// or http://",
    ]


def test_another_litellm_than_the_fork_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(startup, "version", "1.200.0")
    assert "litellm 1.200.0 is installed, which is not the fork" in said(capsys, ("m", {"model": "remodlai/m"}))[-1]
    assert said(capsys, ("m", {"model": "openai/m"})) == []


def test_nothing_is_said_without_a_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    startup.say_deployments(None)
    assert capsys.readouterr().err == ""
