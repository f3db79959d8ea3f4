"""A custom logger for the proxy under test: writes what it is told to a file, one JSON object a line.

The fixtures put this file beside config.yaml, which names it as the callback `recorder.recorder`.
"""

import json
import os
from typing import Any

from litellm.integrations.custom_logger import CustomLogger


class Recorder(CustomLogger):
    """Keeps the standard logging payload of every call."""

    def write(self, event: str, details: dict[str, Any]) -> None:
        payload = details.get("standard_logging_object")
        with open(os.environ["RECORDER_FILE"], "a") as file:
            file.write(json.dumps({"event": event, "payload": payload}, default=str) + "\n")

    async def async_log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self.write("success", kwargs)

    async def async_log_failure_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self.write("failure", kwargs)


recorder = Recorder()
