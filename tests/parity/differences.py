"""Every deliberate difference between `remodlai` and `hosted_vllm`, as data: the suite subtracts exactly this table.

Most rows say how upstream has to be asked to do what the twin does by itself: `ask` changes the case for upstream,
and then the two must be equal in everything. The others name a place in the observation and what may stand there.
Each row has an example, which must differ without it.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

from parity.endpoints.common import WAV
from parity.harness import Case, Difference

from fork.releases import holds
from support.recording import CUT, Response

LITELLM, OPENAI = version("litellm"), version("openai")
"""The installed releases; looked up once, as each case asks each row."""


@dataclass(frozen=True)
class Row:
    """One deliberate difference.

    Attributes:
        name: short name.
        endpoints: pattern that matches the names of the endpoints concerned.
        what: what is different, for the documentation.
        why: the reason.
        example: a case that shows the difference, so that no row outlives its reason.
        when: which cases are concerned.
        ask: changes to the case that make upstream behave as the twin does.
        path: pattern of the place in the observation that may differ, where upstream cannot be asked.
        allowed: whether (upstream's value, twin's value) at that place is the deliberate difference.
        releases: those of LiteLLM in which upstream differs; by default all.
        clients: those of the `openai` package beside which it differs; by default all.
    """

    name: str
    endpoints: str
    what: str
    why: str
    example: Case
    when: Callable[[Case], bool] = lambda case: True
    ask: Callable[[Case], dict[str, Any]] | None = None
    path: str | None = None
    allowed: Callable[[Any, Any], bool] = lambda upstream, twin: False
    releases: str = ""
    clients: str = ""

    @property
    def applies(self) -> bool:
        """Whether the installed releases are of `releases` and `clients`."""
        return holds(self.releases, LITELLM) and holds(self.clients, OPENAI)

    def concerns(self, case: Case) -> bool:
        return self.applies and re.fullmatch(self.endpoints, case.endpoint) is not None and self.when(case)

    def explains(self, difference: Difference) -> bool:
        place = self.path is not None and re.fullmatch(self.path, difference.path) is not None
        return place and self.allowed(difference.upstream, difference.twin)


EXPLANATION = re.compile(r" \[\S+ from [^]]*\]")
"""What the twin adds to the message of a failed call."""


_ENDPOINT = "/chat/completions"


def _no_path(case: Case) -> bool:
    return case.base in ("", "/")


def _root(base: str) -> str:
    return base.rstrip("/").removesuffix(_ENDPOINT).removesuffix("/v1")


def _same_server(upstream: Any, twin: Any) -> bool:
    """Two spellings of one base."""
    return isinstance(upstream, str) and isinstance(twin, str) and _root(upstream) == _root(twin)


def _key_as_bearer(upstream: Any, twin: Any) -> bool:
    """The same headers but for the one that carries the key; or that one alone."""
    if isinstance(upstream, str):
        return (upstream, twin) in {("x-api-key", "authorization"), ("sk-case", "Bearer sk-case")}
    return [header for header in twin if header[0].lower() != "authorization"] == list(upstream)


def _asks_for_base64(upstream: Any, twin: Any) -> bool:
    """The body, or its length, with base64 asked for where upstream asks for floats or for nothing; or all requests,
    with one more for each that the server refused."""
    if isinstance(upstream, list):
        return upstream == [sent for sent in twin if sent["body"]["json"].get("encoding_format") != "base64"]
    if upstream in ("<missing>", "float"):
        return bool(twin == "base64")
    if upstream.isdigit():
        return True  # Content-Length: it follows the body, which is compared
    return bool(json.loads(twin) == json.loads(upstream) | {"encoding_format": "base64"})


def _needs_a_word(case: Case) -> bool:
    """Whether the call says how much to reason in a form that vLLM, or gpt-oss, does not take."""
    thinking, effort = case.params.get("thinking") or {}, case.params.get("reasoning_effort")
    of_gpt_oss = "gpt-oss" in str(case.model) and bool(thinking or effort)
    return thinking.get("type") in ("disabled", "adaptive") or isinstance(effort, dict) or of_gpt_oss


def _brings_headers(case: Case) -> bool:
    return bool(case.params.get("headers") or case.params.get("extra_headers"))


def _has_them_too(upstream: Any, twin: Any) -> bool:
    """Headers that are upstream's and more, whatever the key's and the body's say; or the text of one."""
    if not isinstance(upstream, list):
        return True
    names = [[header[0].lower() for header in headers] for headers in (upstream, twin)]
    return set(names[0]) - {"authorization"} <= set(names[1])


def _is_refused(case: Case) -> bool:
    """Whether rerank does not take a parameter of the case."""
    return "max_chunks_per_doc" in case.params or bool({"truncate_prompt_tokens", "truncation_side"} & set(case.params))


def _effort_as_word(upstream: Any, twin: Any) -> bool:
    """The effort; or a body, or its length, that holds it and is the same in everything else."""
    if twin in ("none", "low", "medium", "high") or str(upstream).isdigit():
        return True
    try:
        bodies = [json.loads(body) for body in (upstream, twin)]
    except (TypeError, ValueError):
        return False
    efforts = [body.pop("reasoning_effort", None) for body in bodies]
    return bodies[0] == bodies[1] and efforts[0] != efforts[1]


def _names_its_provider(upstream: Any, twin: Any) -> bool:
    """The text, or the name of the provider in it, where upstream says OpenAI's."""
    said = EXPLANATION.sub("", str(twin))
    return said.replace("<Provider>Exception", "OpenAIException").replace("<provider>", "openai") == upstream


def _breaks_off_the_same(upstream: object, twin: object) -> bool:
    """Whether httpx and aiohttp say of a connection that it ended too early, with either's name of the provider."""
    if not isinstance(upstream, str) or not isinstance(twin, str):
        return False
    if (upstream, twin) == ("RemoteProtocolError", "ReadError"):
        return True
    words = "Not enough data to satisfy transfer length header."
    as_aiohttp = upstream.replace(
        "peer closed connection without sending complete message body (incomplete chunked read)",
        f"Response payload is not completed: <TransferEncodingError: 400, message={words!r}>",
    )
    return as_aiohttp == twin or _names_its_provider(as_aiohttp, twin)


ALL = ".*"
FILES_AND_BATCHES = "(files|batches): .*"
TEXT_COMPLETION = "text completion|health"
NOT_ROOTED = "(?!pass-through|health).*"
UNMAPPED = "audio transcription|files: .*|batches: .*"
EMPTY = {"object": "list", "data": []}
DOCUMENTED = {
    ALL: "all",
    NOT_ROOTED: "all",
    TEXT_COMPLETION: "text completion",
    FILES_AND_BATCHES: "files, batches",
    UNMAPPED: "transcription, speech, moderation, files, batches",
}


def _case(endpoint: str, call: str, answer: Any, /, **params: Any) -> Case:
    return Case(endpoint, call, params, (Response(json=answer),))


ANSWER = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": "completed", "output": []}
ASK = [{"role": "user", "content": "hello"}]
STRICT = {"type": "function", "function": {"name": "f", "strict": True, "parameters": {}}}
VECTOR = _case("embeddings", "embedding", EMPTY, input="a")
SPEECH = _case("audio transcription", "transcription", {"text": "hello"}, file=WAV)
SICK = replace(_case("health", "ahealth_check", EMPTY, mode="completion"), answers=(Response(status=400),))
ROUTE = _case("pass-through", "llm_passthrough_route", {"tokens": [1]}, method="POST", endpoint="tokenize")
FILES = replace(_case("files: list", "file_list", EMPTY), model=None, ask="provider")
LISTING = replace(
    _case("model listing", "get_valid_models", {"data": [{"id": "m"}]}, check_provider_endpoint=True),
    model=None,
    ask="provider",
)

TABLE: tuple[Row, ...] = (
    Row(
        name="bare origin",
        endpoints=ALL,
        what="A base without a path gets `/v1`; upstream uses it as it is.",
        why="The documented base is the bare origin of the server.",
        example=replace(VECTOR, base=""),
        when=_no_path,
        ask=lambda case: {"base": "/v1"},
    ),
    Row(
        name="endpoint behind a base",
        endpoints=NOT_ROOTED,
        what="An endpoint behind the `/v1` of a base, quotes and white space around it do not matter, and a server of "
        "this machine needs no `http://`; any other base that is no URL is a 400 that says where it came from.",
        why="Upstream asks for `/v1/chat/completions/embeddings`, or says `Connection error.` where it asked nobody.",
        example=replace(VECTOR, base=f"/v1{_ENDPOINT}"),
        when=lambda case: case.base.endswith(_ENDPOINT),
        ask=lambda case: {"base": "/v1"},
    ),
    Row(
        name="trailing slash",
        endpoints="health",
        what="A health check that fails shows the base without its trailing slash.",
        why="One spelling of a server.",
        example=replace(SICK, base="/v1/"),
        when=lambda case: case.base.endswith("/") and not _no_path(case),
        ask=lambda case: {"base": case.base.rstrip("/")},
    ),
    Row(
        name="routes of a pass-through",
        endpoints="pass-through",
        what="The caller names the whole route, `v1/…` included, so the base is used without its `/v1`.",
        why="A base with and without `/v1` works on every endpoint; upstream would ask for `/v1/v1/…`.",
        example=ROUTE,
        when=lambda case: _root(case.base) != case.base or _no_path(case),
        ask=lambda case: {"base": _root(case.base)},
    ),
    Row(
        name="base as written",
        endpoints=ALL,
        what="`_hidden_params` repeats the base as it was given, or with its `/v1`.",
        why="Consequence of the rows above.",
        example=replace(SPEECH, base=""),
        when=lambda case: _root(case.base) != case.base or _no_path(case),
        path=r".*hidden_params\.api_base",
        allowed=_same_server,
    ),
    Row(
        name="configured server of files and batches",
        endpoints=FILES_AND_BATCHES,
        what="`REMODLAI_API_BASE` and `REMODLAI_API_KEY` are used; upstream reads only OpenAI's variables.",
        why="Nothing falls back to another host, and no other provider's key is sent.",
        example=replace(FILES, configured="environment"),
        when=lambda case: case.configured == "environment",
        ask=lambda case: {"configured": "arguments"},
    ),
    Row(
        name="litellm.api_base everywhere",
        endpoints=ALL,
        what="`litellm.api_base` is used on every endpoint; upstream reads it on some.",
        why="One rule for where the server is, whatever is asked of it.",
        example=replace(SPEECH, configured="module"),
        when=lambda case: case.configured == "module",
        ask=lambda case: {"configured": "arguments"},
    ),
    Row(
        name="no key needed for files and batches",
        endpoints=FILES_AND_BATCHES,
        what="Without a key the placeholder is sent; upstream asks for OpenAI's key.",
        why="A server may need none, as on the other endpoints.",
        example=replace(FILES, key=None),
        when=lambda case: case.key is None,
        ask=lambda case: {"key": "fake-api-key"},
    ),
    Row(
        name="key of a pass-through",
        endpoints="pass-through",
        what="The key travels as `Authorization: Bearer`; upstream sends `x-api-key`, or no key at all.",
        why="The server reads bearer tokens only.",
        example=replace(ROUTE, key=None),
        path=r"wire\[\d+\]\.headers(\[\d+\]\[[01]\])?",
        allowed=_key_as_bearer,
    ),
    Row(
        name="error class",
        endpoints="pass-through",
        what="Errors that reach the caller unmapped are `LexiqNovaError`; upstream's are `VLLMError`.",
        why="One error class for the provider.",
        example=replace(ROUTE, answers=(Response(cut=True),)),
        path=r"error\.class\[0\]|logs.*\.error_class",
        allowed=lambda upstream, twin: upstream == "VLLMError" and twin == "LexiqNovaError",
    ),
    Row(
        name="status of a pass-through's error",
        endpoints="pass-through",
        what="An error of the server that an asynchronous call raises unmapped carries its status as `status_code`.",
        why="The Router reads it there; upstream's sends a request that the server refuses three times.",
        example=replace(ROUTE, call="allm_passthrough_route", answers=(Response(status=404),)),
        path=r"error\.status_code",
        allowed=lambda upstream, twin: upstream is None and isinstance(twin, int),
    ),
    Row(
        name="what a failed call asked",
        endpoints=ALL,
        what="Errors without an answer, refusals without a key and pages for people name the server that was asked, "
        "where it was configured, and the likely cause.",
        why="Whoever configured the server sees what to mend.",
        example=replace(_case("chat", "completion", EMPTY, messages=[]), answers=(Response(cut=True),)),
        path=r"error\.(text|message)|logs.*\.(error_str|error_message)",
        allowed=lambda upstream, twin: EXPLANATION.sub("", str(twin)) == upstream,
    ),
    Row(
        name="headers of a call",
        endpoints=ALL,
        what="`headers` and `extra_headers` of a call reach the server; an `Authorization` among them stands in for a "
        "key that is not configured.",
        why="Upstream reads neither for transcription and pass-through, only one for rerank, files and videos, and "
        "sends the placeholder key with a chat.",
        example=replace(SPEECH, params={**SPEECH.params, "extra_headers": {"x-a": "1"}}),
        when=_brings_headers,
        path=r"(wire\[\d+\]|logs.*)\.headers.*",
        allowed=_has_them_too,
    ),
    Row(
        name="exceptions of LiteLLM",
        endpoints=UNMAPPED,
        what="Errors are LiteLLM's exceptions, synchronous as asynchronous.",
        why="Upstream raises the `openai` package's as they come; a Router knows only LiteLLM's.",
        example=replace(FILES, answers=(Response(status=404, json={"error": {"message": "no"}}),)),
        path=r"error\..*",
        allowed=lambda upstream, twin: True,
    ),
    Row(
        name="provider of a text completion",
        endpoints=TEXT_COMPLETION,
        what="The error of an awaited call names its provider; upstream's names OpenAI.",
        why="Whoever reads it looks at the right server.",
        example=replace(
            _case("text completion", "atext_completion", EMPTY, prompt="a"), answers=(Response(status=404),)
        ),
        when=lambda case: case.call.startswith("a"),
        path=r"(result\.)?(error|exception)(\.(text|message|llm_provider))?|logs.*\.(error_str|error_message|llm_provider)",
        allowed=_names_its_provider,
    ),
    Row(
        name="words of a cut text completion",
        endpoints="text completion",
        what="An awaited stream that breaks off before its first chunk says so in aiohttp's words; "
        "upstream's in httpx's.",
        why="The connection is of the client that every other endpoint uses.",
        example=replace(
            _case("text completion", "atext_completion", EMPTY, prompt="a", stream=True),
            answers=(Response(headers={"content-type": "text/event-stream"}, chunks=(CUT,)),),
        ),
        when=lambda case: case.call.startswith("a") and bool(case.params.get("stream")),
        path=r"error\.(text|message)|logs.*\.(error_str|error_message|error_class)",
        allowed=_breaks_off_the_same,
        clients="<3",  # release 3 says "Connection error." of either connection
    ),
    Row(
        name="refusals of rerank",
        endpoints="rerank",
        what="What rerank does not take is an `UnsupportedParamsError` (400) that names this provider; `drop_params` "
        "drops it.",
        why="Upstream's is a connection error, which a Router retries.",
        example=_case("rerank", "rerank", EMPTY, query="q", documents=["d"], max_chunks_per_doc=2),
        when=_is_refused,
        path=r"error|error\..*|logs.*|wire|result.*|sleeps",
        allowed=lambda upstream, twin: True,
    ),
    Row(
        name="extra body of rerank",
        endpoints="rerank",
        what="`extra_body` reaches the server; query and documents may be objects with `content` (pictures).",
        why="Upstream drops the first and refuses the second; vLLM takes both.",
        example=_case("rerank", "rerank", EMPTY, query="q", documents=["d"], extra_body={"priority": 1}),
        when=lambda case: bool(case.params.get("extra_body")),
        path=r"wire\[\d+\]\.(body.*|headers\[\d+\]\[1\])|logs.*",
        allowed=lambda upstream, twin: True,
    ),
    Row(
        name="streamed responses",
        endpoints="Responses API",
        what="A stream is the server's own, event by event; upstream asks for a whole answer and cuts it into events.",
        why="Upstream takes a model that is in no price list for one that cannot stream, and loses what is not text.",
        # A Router puts the models of its deployments in the price list.
        example=replace(_case("Responses API", "responses", ANSWER, input="hello", stream=True), model="in-no-list"),
        when=lambda case: case.params.get("stream") is True,
        ask=lambda case: {"streams": True},
    ),
    Row(
        name="reasoning effort",
        endpoints="chat",
        what="`thinking` of type `disabled` or `adaptive`, and an effort in an object, become the word vLLM takes; for "
        "gpt-oss, a word that its templates do not know becomes the nearest that they do.",
        why="Upstream drops the first two, so that a model reasons although it should not; vLLM refuses the others.",
        example=_case("chat", "completion", EMPTY, messages=ASK, thinking={"type": "disabled"}),
        when=_needs_a_word,
        path=r"wire\[\d+\]\.(body\.(json\.reasoning_effort|bytes)|headers\[\d+\]\[1\])|logs.*reasoning_effort.*",
        allowed=_effort_as_word,
    ),
    Row(
        name="tools as the caller gave them",
        endpoints="chat",
        what="The log of a call has its `tools` as the caller gave them, and the caller's list is not changed.",
        why="Upstream removes `strict` and `additionalProperties: false` from that list; what is sent is the same.",
        example=_case("chat", "completion", EMPTY, messages=ASK, tools=[STRICT]),
        when=lambda case: "tools" in case.params,
        path=r"logs.*\.tools\[\d+\]\..*(strict|additionalProperties)",
        allowed=lambda upstream, twin: upstream == "<missing>",
        releases="<1.109",
    ),
    Row(
        name="large batches as base64",
        endpoints="embeddings",
        what="From 16 inputs on, a call that names no `encoding_format` asks for base64 and decodes it; the caller "
        "gets the same floats. A server that refuses base64 is asked once more, for floats.",
        why="Smaller on the wire and faster to read.",
        example=_case("embeddings", "embedding", EMPTY, input=["a"] * 16),
        when=lambda case: len(case.params["input"]) >= 16 and case.params.get("encoding_format") in (None, "float"),
        path=r"wire(\[\d+\]\.(body\.(json\.encoding_format|bytes)|headers\[\d+\]\[1\]))?",
        allowed=_asks_for_base64,
    ),
    Row(
        name="model listing",
        endpoints="model listing",
        what="`get_valid_models(check_provider_endpoint=True)` lists what the server serves; upstream lists nothing.",
        why="Upstream's vLLM listing refuses to run without a key and never has one.",
        example=LISTING,
        when=lambda case: bool(case.params["check_provider_endpoint"]),
        path="result|wire",
        allowed=lambda upstream, twin: upstream == [] and twin != [],
        releases="<1.110",
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
    lines += [f"| {DOCUMENTED.get(row.endpoints, row.endpoints)} | {row.what} | {row.why} |" for row in TABLE]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(render_markdown())  # noqa: T201
