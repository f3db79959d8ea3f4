"""Every deliberate difference between `remodlai` and `hosted_vllm`, as data: the suite subtracts exactly this table.

Most rows say how upstream has to be asked to do what the twin does by itself: `ask` changes the case for upstream,
and then the two must be equal in everything. The others name a place in the observation and what may stand there.
A row that no case ever needed is an error, so the table cannot outlive its reasons.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from parity.harness import Case, Difference


@dataclass(frozen=True)
class Row:
    """One deliberate difference.

    Attributes:
        name: short name.
        endpoints: pattern that matches the names of the endpoints concerned.
        what: what is different, for the documentation.
        why: the reason.
        when: which cases are concerned.
        ask: changes to the case that make upstream behave as the twin does.
        path: pattern of the place in the observation that may differ, where upstream cannot be asked.
        allowed: whether (upstream's value, twin's value) at that place is the deliberate difference.
    """

    name: str
    endpoints: str
    what: str
    why: str
    when: Callable[[Case], bool] = lambda case: True
    ask: Callable[[Case], dict[str, Any]] | None = None
    path: str | None = None
    allowed: Callable[[Any, Any], bool] = field(default=lambda upstream, twin: False)

    def concerns(self, case: Case) -> bool:
        return re.fullmatch(self.endpoints, case.endpoint) is not None and self.when(case)

    def explains(self, difference: Difference) -> bool:
        place = self.path is not None and re.fullmatch(self.path, difference.path) is not None
        return place and self.allowed(difference.upstream, difference.twin)


def _no_path(case: Case) -> bool:
    return case.base in ("", "/")


def _same_server(upstream: Any, twin: Any) -> bool:
    """Two spellings of one base."""
    return isinstance(upstream, str) and isinstance(twin, str) and _root(upstream) == _root(twin)


def _root(base: str) -> str:
    return base.rstrip("/").removesuffix("/v1")


def _bearer_instead(upstream: Any, twin: Any) -> bool:
    """The same headers, but for the one that carries the key."""

    def others(headers: Any, name: str) -> list[Any]:
        return [header for header in headers if header[0].lower() != name]

    return others(upstream, "x-api-key") == others(twin, "authorization")


FILES_AND_BATCHES = "(files|batches): .*"
ERROR_PLACES = r"error\.(text|message)|logs.*\.(error_str|error_message)"

TABLE: tuple[Row, ...] = (
    Row(
        name="bare origin",
        endpoints=".*",
        what="A base without a path gets `/v1`; upstream uses it as it is.",
        why="The documented base is the bare origin of the server.",
        when=_no_path,
        ask=lambda case: {"base": "/v1"},
    ),
    Row(
        name="trailing slash",
        endpoints=".*",
        what="A base is used, and logged, without its trailing slash.",
        why="One spelling of a server, so that caches and logs know it as one.",
        when=lambda case: case.base.endswith("/") and not _no_path(case),
        ask=lambda case: {"base": case.base.rstrip("/")},
    ),
    Row(
        name="versioned base",
        endpoints="audio transcription|pass-through|health",
        what="A base that ends in `/v1` reaches the same routes; upstream would ask for `/v1/v1/…`.",
        why="Both forms of a base work on every endpoint.",
        when=lambda case: _root(case.base) != case.base or _no_path(case),
        ask=lambda case: {"base": _root(case.base)},
    ),
    Row(
        name="base as written",
        endpoints=".*",
        what="`_hidden_params` repeats the base as it was given, or with its `/v1`.",
        why="Consequence of the rows above.",
        when=lambda case: _root(case.base) != case.base or _no_path(case),
        path=r".*hidden_params\.api_base",
        allowed=_same_server,
    ),
    Row(
        name="configured server for files and batches",
        endpoints=FILES_AND_BATCHES,
        what="`REMODLAI_API_BASE` and `REMODLAI_API_KEY` are used; upstream reads only OpenAI's variables.",
        why="Nothing falls back to another host, and no other provider's key is sent.",
        when=lambda case: case.configured == "environment",
        ask=lambda case: {"configured": "arguments"},
    ),
    Row(
        name="no key needed for files and batches",
        endpoints=FILES_AND_BATCHES,
        what="Without a key the placeholder is sent; upstream asks for OpenAI's key.",
        why="A server may need none, as on the other endpoints.",
        when=lambda case: case.key is None,
        ask=lambda case: {"key": "fake-api-key"},
    ),
    Row(
        name="key of a pass-through",
        endpoints="pass-through",
        what="The key travels as `Authorization: Bearer`; upstream sends `x-api-key`, or no key at all.",
        why="The server reads bearer tokens only.",
        path=r"wire\[\d+\]\.headers(\[\d+\]\[[01]\])?",
        allowed=lambda upstream, twin: (
            _bearer_instead(upstream, twin)
            if isinstance(upstream, list)
            else (upstream, twin) in {("x-api-key", "authorization"), ("sk-case", "Bearer sk-case")}
        ),
    ),
    Row(
        name="error class",
        endpoints=".*",
        what="Errors that reach the caller unmapped are `LexiqNovaError`; upstream has a class per endpoint.",
        why="One error class for the provider.",
        path=r"error\.class\[0\]|logs.*\.error_class",
        allowed=lambda upstream, twin: twin == "LexiqNovaError" and upstream.endswith("Error"),
    ),
    Row(
        name="upstream's wording",
        endpoints="rerank",
        what="Messages about parameters that rerank refuses name Hosted VLLM.",
        why="They are written by upstream's class, which does the refusing.",
        path=ERROR_PLACES,
        allowed=lambda upstream, twin: (
            twin.replace("Hosted VLLM", "<Provider name>").replace("hosted_vllm", "<provider>") == upstream
        ),
    ),
    Row(
        name="model listing",
        endpoints="model listing",
        what="`get_valid_models(check_provider_endpoint=True)` lists what the server serves; upstream lists nothing.",
        why="Upstream's vLLM listing refuses to run without a key and never has one.",
        when=lambda case: bool(case.params["check_provider_endpoint"]),
        path="result|wire",
        allowed=lambda upstream, twin: upstream == [] and twin != [],
    ),
)
"""All deliberate differences."""


def as_asked(case: Case, rows: Iterable[Row]) -> Case:
    """The case that upstream is given instead, by the rows that concern it."""
    for row in rows:
        if row.ask is not None:
            case = replace(case, **row.ask(case))
    return case


def render_markdown() -> str:
    """The table as the documentation shows it."""
    lines = ["| endpoints | difference | reason |", "| --- | --- | --- |"]
    for row in TABLE:
        endpoints = "all" if row.endpoints == ".*" else row.endpoints.replace("\\", "").replace("|", ", ").strip("()")
        lines.append(f"| {endpoints} | {row.what} | {row.why} |")
    return "\n".join(lines) + "\n"
