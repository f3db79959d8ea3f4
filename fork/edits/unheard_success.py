"""Without callbacks every call still builds a log entry and hands it to another thread or task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fork.edit import Edit

if TYPE_CHECKING:
    from datetime import datetime

    from litellm._internal_context import is_internal_call
    from litellm.litellm_core_utils.asyncify import run_async_function
    from litellm.litellm_core_utils.litellm_logging import Logging
    from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper
    from litellm.litellm_core_utils.thread_pool_executor import executor
    from litellm.litellm_core_utils.unheard_success import is_success_heard, run_hooks, where_heard
    from litellm.responses.streaming_iterator import BaseResponsesAPIStreamingIterator, _logging_copy

EDIT = Edit(__name__, __doc__, patch="unheard-success", speed=True)

LOGGING = "litellm/litellm_core_utils/litellm_logging.py"


@EDIT.after(LOGGING, "Logging.custom_pricing")
def state() -> None:
    # Set where a call makes its own logging object, which nobody but its callbacks gets to see.
    made_by_call: bool = False


@EDIT.after("litellm/utils.py", "function_setup.litellm_params")
def made(logging_obj: Logging) -> None:
    logging_obj.made_by_call = True


def internal() -> object:
    return is_internal_call.get()


@EDIT.instead_of(internal, "litellm/utils.py", "client.wrapper")
def unheard(logging_obj: Logging) -> object:
    return is_internal_call.get() or not is_success_heard(logging_obj)


def enqueued(logging_obj: Logging) -> None:
    logging_obj.mark_async_success_log_enqueued()


@EDIT.behind(enqueued, "litellm/utils.py", "_schedule_async_success_logging._enqueue_async_logging")
def unless_unheard(logging_obj: Logging) -> None:
    if not is_success_heard(logging_obj):
        return


def submit() -> object:
    return executor.submit


# A synchronous stream does so for each chunk, an asynchronous one at its end.
@EDIT.instead_of(submit, "litellm/litellm_core_utils/streaming_handler.py", "CustomStreamWrapper.__next__", times=4)
def submit_where_heard(self: CustomStreamWrapper) -> object:
    return where_heard(executor, self.logging_obj).submit


@EDIT.start(LOGGING, "Logging.dispatch_success_handlers")
def unless_stream_unheard(self: Logging) -> None:
    if not is_success_heard(self):
        return


STREAMS = "litellm/responses/streaming_iterator.py"


def persisted(self: BaseResponsesAPIStreamingIterator, is_async: bool) -> None:
    if self._persist_completed_response_before_logging:
        self._persist_completed_response_to_cache(is_async=is_async)


# The end of a Responses stream copies the answer, and a synchronous one has it logged in an event loop of its own.
@EDIT.behind(persisted, STREAMS, "BaseResponsesAPIStreamingIterator._log_completed_response")
def heard(self: BaseResponsesAPIStreamingIterator) -> None:
    unheard: Final = not is_success_heard(self.logging_obj)


def copied(self: BaseResponsesAPIStreamingIterator) -> object:
    return _logging_copy(self.completed_response)


@EDIT.instead_of(copied, STREAMS, "BaseResponsesAPIStreamingIterator._log_completed_response")
def copied_where_heard(self: BaseResponsesAPIStreamingIterator, unheard: bool) -> object:
    return self.completed_response if unheard else _logging_copy(self.completed_response)


@EDIT.after(STREAMS, "BaseResponsesAPIStreamingIterator._log_completed_response.end_time")
def unless_response_unheard(self: BaseResponsesAPIStreamingIterator, end_time: datetime, unheard: bool) -> None:
    if unheard:
        self._run_post_success_hooks(end_time=end_time)
        return


def run() -> object:
    return run_async_function


@EDIT.instead_of(run, STREAMS, "BaseResponsesAPIStreamingIterator._run_post_success_hooks")
def run_where_there_are() -> object:
    return run_hooks
