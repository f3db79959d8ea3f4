"""The harness sees what a call does, and nothing of another one."""

from collections.abc import Iterator
from typing import Any

import pytest
from parity.harness import TWIN, Case, Harness

import litellm
from litellm.litellm_core_utils.thread_pool_executor import executor
from support.recording import Response


@pytest.fixture
def harness() -> Iterator[Harness]:
    with Harness() as running:
        yield running


def test_logging_that_breaks_is_seen_and_ends_nothing(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """As upstream's does from 1.108 on, after a pass-through call without JSON; its own thread says so to nobody."""

    def log() -> None:
        raise ValueError("the log is full")

    monkeypatch.setattr(litellm, "breaks_its_log", lambda **_: executor.submit(log) and "answered", raising=False)
    seen = harness.observe(Case("chat", "breaks_its_log", {}, (Response(),)), TWIN)
    assert seen["result"] == "answered"
    assert [error["class"][0] for error in seen["broken logging"]] == ["ValueError"]


def test_a_listing_is_the_case_s_own(harness: Harness) -> None:
    """Upstream keeps listings for five minutes, whatever server is configured by then."""

    def listed(*names: str) -> Any:
        answer = Response(json={"data": [{"id": name} for name in names]})
        arguments = {"check_provider_endpoint": True}
        case = Case("model listing", "get_valid_models", arguments, (answer,), None, "provider", "function")
        return harness.observe(Case(**{**vars(case), "configured": "environment"}), TWIN)["result"]

    assert listed("one") == ["one"]
    assert listed("two", "three") == ["two", "three"]
