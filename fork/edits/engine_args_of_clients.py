"""A proxy's client must not choose how vLLM is started on the proxy's machine, nor with which variables."""

from __future__ import annotations

from fork.edit import Edit

EDIT = Edit(__name__, __doc__, patch="local-engine")


@EDIT.element("litellm/proxy/auth/auth_utils.py", "_BANNED_REQUEST_BODY_PARAMS", beside="user_config")
def banned() -> object:
    return ("engine_args",)
