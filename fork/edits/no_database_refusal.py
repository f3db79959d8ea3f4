"""Without a database, a refused request is answered with 500 and not with what is wrong with it."""

from __future__ import annotations

from importlib.util import find_spec

from fork.edit import Edit

EDIT = Edit(__name__, __doc__, patch="no-database")


@EDIT.start("litellm/proxy/db/exception_handler.py", "PrismaDBExceptionHandler.is_database_service_unavailable_error")
def without_package() -> bool:
    if find_spec("prisma") is None:
        return False
