"""
A cache hit imports the proxy's handlers of passed-through answers, and with them fastapi and others, which only an
extra installs.
"""

from __future__ import annotations

from collections.abc import Callable

from fork.edit import Edit

EDIT = Edit(__name__, __doc__, patch="fix-plain-installation")
STREAMS = "litellm/llms/anthropic/pass_through/messages/streaming_iterator.py"
STREAMS_1_109 = "litellm/llms/anthropic/messages/native/streaming_iterator.py"
LOGGING = "BaseAnthropicMessagesStreamingIterator._handle_streaming_logging"


def imported() -> None:
    from litellm.proxy.pass_through_endpoints.success_handler import PassThroughEndpointLogging


@EDIT.instead_of(imported, STREAMS, "", releases="<1.109")
@EDIT.instead_of(imported, STREAMS_1_109, "", releases=">=1.109")
def imported_when_used() -> None:
    from litellm.passthrough.success_handler import PassThroughEndpointLogging, can_log_streams


def logged() -> None:
    from litellm.proxy.pass_through_endpoints.streaming_handler import PassThroughStreamingHandler


@EDIT.instead_of(logged, STREAMS, LOGGING, releases="<1.109")
@EDIT.instead_of(logged, STREAMS_1_109, LOGGING, releases=">=1.109")
def logged_with_the_proxy(can_log_streams: Callable[[], bool]) -> None:
    if not can_log_streams():
        return
    from litellm.proxy.pass_through_endpoints.streaming_handler import (
        PassThroughStreamingHandler,
    )
