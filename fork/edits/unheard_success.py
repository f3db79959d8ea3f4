"""Without callbacks every call still builds a log entry and hands it to another thread or task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm._internal_context import is_internal_call
    from litellm.litellm_core_utils.litellm_logging import Logging
    from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper
    from litellm.litellm_core_utils.thread_pool_executor import executor
    from litellm.litellm_core_utils.unheard_success import is_success_heard, where_heard

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
