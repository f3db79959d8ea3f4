"""Without a database each call looks through the import path for its client, which need not be installed."""

from __future__ import annotations

from fork.edit import Edit

EDIT = Edit(__name__, __doc__, patch="no-database", speed=True)


def imported() -> None:
    from litellm.proxy.proxy_server import proxy_logging_obj


@EDIT.instead_of(imported, "litellm/proxy/db/log_db_metrics.py", "_handle_logging_db_exception")
def without_client() -> bool:
    from litellm.proxy.proxy_server import prisma_client, proxy_logging_obj

    if prisma_client is None:
        return False
