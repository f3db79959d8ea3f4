"""A health check must not start a local engine: it would put another one out of its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.llms.remodlai.engine.health import health_of_local_engine

EDIT = Edit(__name__, __doc__, patch="local-engine")


@EDIT.start("litellm/main.py", "ahealth_check")
async def looked_at(model_params: dict[str, Any]) -> dict[str, Any] | None:
    engine_health: Final = await health_of_local_engine(model_params)
    if engine_health is not None:
        return engine_health
