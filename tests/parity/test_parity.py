"""The differential suite: every generated call, once as `hosted_vllm/…` and once as `remodlai/…`, must be equal on the
wire, in what it returns or raises, and in what is logged, except for what the table of differences names.

`PARITY_CASES` is the least number of distinct cases (500; `make parity` asks for 5,000).
"""

import math
import os

import pytest
from parity.differences import TABLE, Row, render_markdown
from parity.endpoints.all import ENDPOINTS
from parity.endpoints.common import Endpoint
from parity.harness import Harness
from parity.mended import MENDED
from parity.runner import Tally, run, unexplained

from support.documents import ROOT

GUIDE = ROOT / "LEXIQ_NOVA_INTEGRATION.md"
CASES = int(os.environ.get("PARITY_CASES", "500"))
SHARES = sum(endpoint.share for endpoint in ENDPOINTS)
SPARE = 1.25
"""More cases are generated than asked for, because some are drawn twice."""

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_endpoint(endpoint: Endpoint, harness: Harness, tally: Tally) -> None:
    before = len(tally.cases)
    run(harness, endpoint, math.ceil(CASES * SPARE * endpoint.share / SHARES), tally)
    found = [str(finding) for kind, finding in tally.unexplained.items() if kind.startswith(f"{endpoint.name}: ")]
    assert len(tally.cases) > before
    assert not found, f"{len(found)} unexplained differences\n" + "\n".join(found)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_row_is_needed(row: Row, harness: Harness) -> None:
    """
    The row's example is explained by the table, and not without this row; so no row outlives its reason. Beside a
    release that is none of the row's, there is nothing to explain.
    """
    assert not unexplained(harness, row.example, Tally())
    without = unexplained(harness, row.example, Tally(), [other for other in TABLE if other is not row])
    assert bool(without) == row.applies


def test_enough_distinct_cases(request: pytest.FixtureRequest, tally: Tally) -> None:
    if not _all_ran(request):
        pytest.skip("needs all endpoints")
    assert len(tally.cases) >= CASES


def test_the_guide_shows_the_table() -> None:
    """`python -m parity.differences` prints what belongs there."""
    assert render_markdown() in GUIDE.read_text()


@pytest.mark.parametrize("what", sorted({row.what for row in MENDED}))
def test_the_guide_says_what_is_mended(what: str) -> None:
    assert f"| {what} |" in GUIDE.read_text()


def _all_ran(request: pytest.FixtureRequest) -> bool:
    chosen = {item.name for item in request.session.items}
    return {f"test_endpoint[{endpoint.name}]" for endpoint in ENDPOINTS} <= chosen
