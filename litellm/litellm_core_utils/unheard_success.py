"""Calls whose success nobody hears of: without callbacks, no log entry is built and handed to another thread."""

import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

import litellm
from litellm._logging import is_debugging_on
from litellm.litellm_core_utils.asyncify import run_async_function
from litellm.types.utils import CallTypes

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from litellm.litellm_core_utils.litellm_logging import Logging

# Of these, the success handlers log the answer and change nothing in it.
_KINDS: Final = ("completion", "text_completion", "embedding", "rerank", "responses")
CALL_TYPES_ONLY_LOGGED: Final = frozenset((*_KINDS, *(f"a{kind}" for kind in _KINDS)))


def is_success_heard(logging_obj: "Logging") -> bool:
    """
    Whether anything but its logging object can learn that a call succeeded: a callback, a budget, a log, the caller.

    Args:
        logging_obj: the call's logging object.
    """
    return bool(
        not logging_obj.made_by_call
        or logging_obj.call_type not in CALL_TYPES_ONLY_LOGGED
        or litellm.success_callback
        or litellm._async_success_callback
        or logging_obj.dynamic_success_callbacks
        or logging_obj.dynamic_async_success_callbacks
        or litellm.max_budget
        or logging_obj.litellm_params.get("metadata")  # the caller's own: the handlers add to it
        or is_debugging_on()
        or os.getenv("LITELLM_PRINT_STANDARD_LOGGING_PAYLOAD")
    )


class _NoExecutor:
    """Stands where an executor does, and runs nothing."""

    def submit(self, handler: Callable[..., object], *args: object) -> None:
        """Leaves `handler` alone."""


_NO_EXECUTOR: Final = _NoExecutor()


def where_heard(executor: "ThreadPoolExecutor", logging_obj: "Logging") -> "ThreadPoolExecutor | _NoExecutor":
    """
    What runs the success handlers of a synchronous stream, which has them called for each chunk and for the answer.

    Args:
        executor: where they run if anything hears of them.
        logging_obj: the call's logging object.
    """
    return executor if is_success_heard(logging_obj) else _NO_EXECUTOR


def run_hooks(
    async_function: Callable[[dict[str, object], object, CallTypes | None], Awaitable[object]],
    request_data: dict[str, object],
    response: object,
    call_type: CallTypes | None,
) -> None:
    """
    Has the hooks of callbacks run in an event loop of their own, which is made where there are callbacks.

    Args:
        async_function: calls the hooks.
        request_data: as the hooks are given it.
        response: as the hooks are given it.
        call_type: as the hooks are given it.
    """
    if litellm.callbacks:
        run_async_function(async_function, request_data, response, call_type)
