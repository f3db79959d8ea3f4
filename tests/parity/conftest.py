"""The harness of the differential suite, shared by its tests, and the summary that a run ends with."""

from collections.abc import Iterator

import pytest
from parity.differences import TABLE, render_markdown
from parity.harness import Harness
from parity.runner import Tally

_TALLY = pytest.StashKey[Tally]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TALLY] = Tally()


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Tally:
    return pytestconfig.stash[_TALLY]


@pytest.fixture(scope="module")
def harness() -> Iterator[Harness]:
    with Harness() as running:
        yield running


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    tally = config.stash[_TALLY]
    if not tally.cases:
        return
    write = terminalreporter.write_line
    terminalreporter.section("parity of remodlai with hosted_vllm")
    write(f"{len(tally.cases)} distinct cases, {len(tally.unexplained)} unexplained differences; deliberate ones:")
    for row in TABLE:
        write(f"  {row.name}: explained {tally.rows[row.name]}")
    write(render_markdown())
