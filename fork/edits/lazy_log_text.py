"""The answer is made into text for a log line that is written only in debug mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fork.edit import Edit, Part

if TYPE_CHECKING:
    from litellm.litellm_core_utils.lazy_text import LazyText

EDIT = Edit(__name__, __doc__, patch="lazy-log-text", speed=True)


def made(response: Part) -> object:
    return "RAW RESPONSE:\n{}\n\n".format(response)  # noqa: UP032


@EDIT.instead_of(made, "litellm/litellm_core_utils/litellm_logging.py", "Logging.post_call")
def when_written(response: Part) -> object:
    return LazyText(
        "RAW RESPONSE:\n{}\n\n",
        response,
    )
