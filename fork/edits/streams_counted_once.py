"""
A Router counted each chunk of a synchronous stream as a call that succeeded.

So one long answer outweighed many failures, and a deployment that fails most calls was not left alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from fork.edit import Edit

EDIT = Edit(__name__, __doc__, patch="fix-streams-counted-once")


@EDIT.start("litellm/router.py", "Router.sync_deployment_callback_on_success")
def unless_whole(kwargs: Mapping[str, object]) -> str | None:
    if kwargs.get("stream") and "complete_streaming_response" not in kwargs:
        return None
