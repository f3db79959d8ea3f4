"""Faults that the fork mends for every provider: what each is, and which generated cases show it.

Where such a case is made with the fork and with the release, the two differ on purpose. That they are right is
tested in `tests/test_litellm/self_hosted/fixes`; every other case must be equal.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from parity.harness import Case


@dataclass(frozen=True)
class Mended:
    """One fault of upstream's.

    Attributes:
        what: what is right now, as the guide says it.
        endpoints: pattern that matches the names of the endpoints concerned.
        when: which cases show it.
    """

    what: str
    endpoints: str
    when: Callable[[Case], bool]


def _answers(case: Case, pattern: str) -> bool:
    return re.search(pattern, repr(case.answers)) is not None


def _is_token_ids(case: Case) -> bool:
    prompt = case.params.get("prompt")
    return isinstance(prompt, list) and any(not isinstance(part, str) for part in prompt)


MENDED: tuple[Mended, ...] = (
    Mended("A prompt may be token ids, one list or several.", "text completion", _is_token_ids),
    Mended(
        "A stream of several choices tells index and finish reason of each.",
        "text completion",
        lambda case: bool(case.params.get("stream")),
    ),
    Mended(
        "A stream of several choices tells index and finish reason of each.",
        "chat.*|Anthropic messages",
        lambda case: bool(case.params.get("stream")) and _answers(case, r"""["']index["']: ?1"""),
    ),
    Mended(
        "`finish_reason` is `length`, not `stop`, where the server says `abort`, `error` or `repetition`.",
        "chat.*|text completion|Anthropic messages|pass-through",
        lambda case: _answers(case, "abort"),
    ),
    Mended(
        "The tokens of a stream whose server reports none are counted.",
        "chat.*|text completion|Anthropic messages",
        lambda case: bool(case.params.get("stream")) and not _answers(case, "prompt_tokens"),
    ),
    Mended(
        "A synchronous stream that breaks off ends with an error event.",
        "Anthropic messages",
        lambda case: bool(case.params.get("stream")) and _answers(case, r'cut=True|delay=(?!0\.0\b)|"error"'),
    ),
    Mended(
        "`max_retries` and `num_retries` are read on every endpoint.",
        ".*",
        lambda case: any(case.params.get(name) is not None for name in ("max_retries", "num_retries")),
    ),
)


def is_mended(case: Case) -> bool:
    """Whether a case shows a fault that the release has and the fork has not."""
    return any(re.fullmatch(row.endpoints, case.endpoint) and row.when(case) for row in MENDED)
