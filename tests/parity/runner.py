"""Runs the cases of an endpoint and sorts what differs: explained by a row of the table, or not."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from parity.differences import TABLE, Row, as_asked
from parity.endpoints.common import Endpoint
from parity.harness import TWIN, UPSTREAM, Case, Difference, Harness, compare


@dataclass
class Finding:
    """Unexplained differences of one kind: how many cases show it, and the shortest of them."""

    count: int
    difference: Difference
    case: Case

    def __str__(self) -> str:
        values = [f"{value!r:.400}" for value in (self.difference.upstream, self.difference.twin)]
        return f"{self.count} × {self.difference.path}\n  upstream: {values[0]}\n  twin:     {values[1]}\n  {self.case}"


@dataclass
class Tally:
    """What a run has seen: the distinct cases, how often each row was needed, what nothing explains."""

    cases: set[str] = field(default_factory=set)
    rows: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    unexplained: dict[str, Finding] = field(default_factory=dict)
    first_only: bool = False
    """Whether to stop comparing at the first unexplained difference."""

    def add(self, case: Case, differences: list[Difference]) -> None:
        # What was raised says most; of the others the first ones do, and the rest follows from them.
        for difference in sorted(differences, key=lambda found: not found.path.startswith("error"))[:3]:
            kind = f"{case.endpoint}: {re.sub('[0-9]+', 'N', difference.path)}"
            known = self.unexplained.get(kind)
            shorter = known is None or len(repr(case)) < len(repr(known.case))
            shown = Finding(0, difference, case) if known is None or shorter else known
            self.unexplained[kind] = Finding((known.count if known else 0) + 1, shown.difference, shown.case)


def unexplained(harness: Harness, case: Case, tally: Tally, table: Sequence[Row] = TABLE) -> list[Difference]:
    """The differences between the providers on `case` that no row of `table` explains."""
    twin = harness.observe(case, TWIN)
    upstream = harness.observe(case, UPSTREAM)
    outcome = twin.get("error", {}).get("class", ["answered"])[0]
    tally.outcomes[f"{case.endpoint}: {outcome}"] += 1
    differences = list(compare(upstream, twin))
    if not differences:
        return []
    rows = [row for row in table if row.concerns(case)]
    asking = [row for row in rows if row.ask is not None]
    if asking:
        before = len(differences)
        differences = list(compare(harness.observe(as_asked(case, asking), UPSTREAM), twin))
        tally.rows.update(row.name for row in asking if len(differences) != before)
    return list(_left(differences, rows, tally))


def _left(differences: list[Difference], rows: list[Row], tally: Tally) -> Iterator[Difference]:
    for difference in differences:
        row = next((row for row in rows if row.explains(difference)), None)
        if row is None:
            yield difference
        else:
            tally.rows[row.name] += 1


def run(harness: Harness, endpoint: Endpoint, count: int, tally: Tally) -> None:
    """Generate and compare about `count` cases of `endpoint`, always the same ones."""

    def check(case: Case) -> None:
        if repr(case) not in tally.cases and not (tally.first_only and tally.unexplained):
            tally.cases.add(repr(case))
            tally.add(case, unexplained(harness, case, tally))

    endpoint.each_case(count, check)
