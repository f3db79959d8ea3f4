"""
A Router counted each chunk of a synchronous stream as a call that succeeded.

So one long answer outweighed many failures, and a deployment that fails most calls was not left alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from fork.edit import Edit

EDIT = Edit(__name__, __doc__, patch="fix-streams-counted-once", releases="<1.110")
COUNTS = "sync_deployment_callback_on_success"


@EDIT.start("litellm/router.py", f"Router.{COUNTS}", releases="<1.109")
@EDIT.start("litellm/router_python_core.py", f"PythonCore.{COUNTS}", releases=">=1.109")
def unless_whole(kwargs: Mapping[str, object]) -> str | None:
    if kwargs.get("stream") and "complete_streaming_response" not in kwargs:
        return None
