"""No log entry is built that nobody reads, and whoever reads one gets it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

import litellm
from litellm.litellm_core_utils import litellm_logging
from litellm.litellm_core_utils.litellm_logging import Logging
from support.logger import RecordingLogger
from support.plain_calls import MESSAGES, MODEL, Ask, Counter, arrived


@pytest.fixture
def payloads(monkeypatch: pytest.MonkeyPatch) -> Counter:
    return Counter(monkeypatch, litellm_logging, "get_standard_logging_object_payload")


async def test_no_log_entry_is_built_that_nobody_reads(ask: Ask, payloads: Counter) -> None:
    for _ in range(3):
        await ask()
    logger = RecordingLogger()
    litellm.callbacks = [logger]
    await ask()
    assert await arrived(logger.event)
    # What the earlier calls had handed over would have come before.
    assert payloads.count == len(logger.heard) == 1


def to_callbacks(logger: RecordingLogger) -> dict[str, Any]:
    litellm.callbacks = [logger]
    return {}


def to_success_callbacks(logger: RecordingLogger) -> dict[str, Any]:
    litellm.success_callback = [logger.log_success_event]
    litellm._async_success_callback = [logger.async_log_success_event]
    return {}


def to_the_call(logger: RecordingLogger) -> dict[str, Any]:
    return {"success_callback": [logger.log_success_event, logger.async_log_success_event]}


@pytest.mark.parametrize("listen", [to_callbacks, to_success_callbacks, to_the_call])
async def test_a_logger_that_comes_later_hears_the_calls_after_it(
    ask: Ask, listen: Callable[[RecordingLogger], dict[str, Any]]
) -> None:
    await ask()
    logger = RecordingLogger()
    response = await ask(**listen(logger))
    assert await arrived(logger.event)
    (heard,) = logger.heard
    assert heard["litellm_call_id"] == response._hidden_params["litellm_call_id"]
    assert heard["standard_logging_object"]["response"]["id"] == response.id
    assert heard["standard_logging_object"]["total_tokens"] == 6


def with_budget(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(litellm, "max_budget", 100.0)
    return {}


def with_printed_entries(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("LITELLM_PRINT_STANDARD_LOGGING_PAYLOAD", "1")
    return {}


def with_metadata(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    return {"metadata": {"ours": "1"}}


def with_own_logging_object(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    logging_obj = Logging(MODEL, MESSAGES, False, "completion", datetime.now(), "id", "function")
    return {"litellm_logging_obj": logging_obj}


@pytest.mark.parametrize("reader", [with_budget, with_printed_entries, with_metadata, with_own_logging_object])
async def test_whoever_reads_the_entry_otherwise_still_can(
    ask: Ask, payloads: Counter, monkeypatch: pytest.MonkeyPatch, reader: Callable[[pytest.MonkeyPatch], dict[str, Any]]
) -> None:
    await ask(**reader(monkeypatch))
    assert await arrived(payloads.called)
