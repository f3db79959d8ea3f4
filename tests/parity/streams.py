"""
`python -m parity.streams`: many more streams than the suite has time for, each read from both providers.

Random ones are the streamed cases of chat and text completion; aimed ones hold the same text in several places. Another
seed gives other cases, so several processes share the work. Prints what no row of the table explains and exits 1 there.
"""

import argparse
import sys
import time

from parity.endpoints.chat import aimed_chat, chat, text_completion
from parity.endpoints.common import Endpoint
from parity.harness import Case, Harness
from parity.runner import Tally, unexplained


def streamed(case: Case) -> bool:
    return bool(case.params.get("stream"))


RANDOM = (
    Endpoint("chat", chat.filter(streamed), share=3),
    Endpoint("text completion", text_completion.filter(streamed), share=1),
)
AIMED = (Endpoint("chat, aimed at templates", aimed_chat),)
BATCH = 500
"""Cases that one run of the generator is asked for; it draws a part of them twice."""


def compare_streams(harness: Harness, endpoint: Endpoint, count: int, seed: int, tally: Tally) -> None:
    """
    Compares distinct streams of one endpoint.

    Args:
        harness: a running one.
        endpoint: where they come from.
        count: how many.
        seed: of the generator.
        tally: told of each.
    """
    end = len(tally.cases) + count

    def see(case: Case) -> None:
        if len(tally.cases) < end and repr(case) not in tally.cases:
            tally.cases.add(repr(case))
            tally.add(case, unexplained(harness, case, tally))

    while len(tally.cases) < end:
        endpoint.each_case(min(BATCH, end - len(tally.cases) + 50), see, seed)
        seed += 1_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m parity.streams", description=__doc__)
    parser.add_argument("--random", type=int, default=20_000, help="how many random streams (default: 20,000)")
    parser.add_argument("--aimed", type=int, default=5_000, help="how many aimed ones (default: 5,000)")
    parser.add_argument("--seed", type=int, default=0, help="below 1,000; another gives other streams")
    asked = parser.parse_args()
    tally, started = Tally(), time.monotonic()
    with Harness() as harness:
        for endpoints, count in ((AIMED, asked.aimed), (RANDOM, asked.random)):
            shares = sum(endpoint.share for endpoint in endpoints)
            for endpoint in endpoints:
                compare_streams(harness, endpoint, count * endpoint.share // shares, asked.seed, tally)
                seconds = time.monotonic() - started
                print(f"{endpoint.name}: {len(tally.cases)} streams in all, {seconds:.0f} s", flush=True)
    for finding in tally.unexplained.values():
        print(finding)
    print(f"{len(tally.cases)} distinct streams, {len(tally.unexplained)} unexplained differences")
    return bool(tally.unexplained)


if __name__ == "__main__":
    sys.exit(main())
