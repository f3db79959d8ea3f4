"""A response is made into text only where that is logged."""

import logging

import pytest

import litellm
import litellm.utils
from support.plain_calls import Ask, Counter


async def test_a_response_is_made_into_text_only_for_a_log(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    texts = Counter(monkeypatch, litellm.ModelResponse, "__str__")
    await ask()
    assert texts.count == 0
    logger = logging.getLogger("LiteLLM")
    monkeypatch.setattr(logger, "propagate", True)
    with caplog.at_level(logging.DEBUG, logger.name):
        await ask()
    raw = [record.getMessage() for record in caplog.records if record.getMessage().startswith("RAW RESPONSE:\n")]
    assert any('"content": "Hi"' in text and text.endswith("\n\n") for text in raw)
