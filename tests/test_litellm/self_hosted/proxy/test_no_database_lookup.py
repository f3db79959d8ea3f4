"""Without a database no exception is the database's."""

import sys

import pytest

from litellm.proxy.db import log_db_metrics


async def test_without_a_database_no_exception_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prisma", None)  # importing it fails, as where it is not installed

    @log_db_metrics.log_db_metrics
    async def asks_the_database() -> None:
        raise KeyError("nobody")

    with pytest.raises(KeyError, match="nobody"):
        await asks_the_database()
