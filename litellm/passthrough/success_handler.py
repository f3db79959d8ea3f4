"""
The proxy's handlers of passed-through answers, for modules that a call without the proxy imports: these handlers need
what only the `proxy` extra installs, and are imported when they are used.
"""

from functools import cached_property, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

from litellm._logging import verbose_logger

__all__ = ["PassThroughEndpointLogging", "can_log_streams"]

if TYPE_CHECKING:
    from litellm.proxy.pass_through_endpoints.success_handler import PassThroughEndpointLogging
else:

    class PassThroughEndpointLogging:
        """Stands for an instance of the proxy's class of this name, which the first look at an attribute makes."""

        @cached_property
        def _handler(self) -> object:
            return import_module("litellm.proxy.pass_through_endpoints.success_handler").PassThroughEndpointLogging()

        def __getattr__(self, name: str) -> object:
            return getattr(self._handler, name)


@lru_cache
def can_log_streams() -> bool:
    """Whether the handler that logs a stream of events is there; where it is not, the log says so once."""
    try:
        import_module("litellm.proxy.pass_through_endpoints.streaming_handler")
    except ModuleNotFoundError as error:
        verbose_logger.warning("callbacks hear of no stream of Anthropic events: %s; install litellm[proxy]", error)
        return False
    return True
