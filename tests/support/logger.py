"""A custom logger that keeps what LiteLLM tells it of the ends of calls."""

import threading
from typing import Any, NamedTuple

from litellm.integrations.custom_logger import CustomLogger


class Event(NamedTuple):
    """
    The end of a call.

    Args:
        name: "success" or "failure", with "async " before it where the logger was awaited.
        details: what LiteLLM knows of the call, `standard_logging_object` among it.
        response: what was answered, or the error.
    """

    name: str
    details: dict[str, Any]
    response: Any


class RecordingLogger(CustomLogger):
    """Keeps events in their order; `event` is set at each."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = []
        self.event = threading.Event()

    @property
    def heard(self) -> list[dict[str, Any]]:
        return [each.details for each in self.events]

    def keep(self, event: Event) -> None:
        self.events.append(event)
        self.event.set()

    def log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self.keep(Event("success", kwargs, response_obj))

    def log_failure_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self.keep(Event("failure", kwargs, response_obj))

    async def async_log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self.keep(Event("async success", kwargs, response_obj))

    async def async_log_failure_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self.keep(Event("async failure", kwargs, response_obj))
