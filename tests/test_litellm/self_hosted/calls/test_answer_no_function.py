"""An answer is not inspected as a function."""

from typing import Any

import pytest

import litellm
import litellm.utils
from support.plain_calls import Ask


async def test_an_answer_is_not_inspected_as_a_function(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    inspected = []
    checker = litellm.utils.litellm_utils.get_coroutine_checker()
    check = checker.is_async_callable

    def checking(value: Any) -> bool:
        inspected.append(value)
        return check(value)

    monkeypatch.setattr(checker, "is_async_callable", checking)
    response = await ask()
    assert not any(value is response for value in inspected)


async def test_rules_still_see_the_answer(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(litellm, "post_call_rules", [lambda answer: answer != "Hi"])
    with pytest.raises(litellm.APIResponseValidationError):
        await ask()
