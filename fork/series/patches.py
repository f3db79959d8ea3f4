"""
The patches of the series, in order: first what is independent of our providers, one problem each; then the hosted
provider, what it adds to embeddings, streams and the proxy's routes; then the local one, and its engine last, so that a
refusal of one loses nothing of those before it.
"""

from dataclasses import dataclass

from fork.names import LEXIQ_NOVA, REMODLAI, Twin


@dataclass(frozen=True)
class Patch:
    """
    One patch of the series.

    Args:
        name: the `patch=` of its edits.
        subject: first line of its message, a conventional commit.
        says: what its message says besides what its edits do.
        measured: how it was measured, and what came out.
        files: what else is in it: patterns of paths relative to the root.
        twin: the provider that it adds to upstream's lists.
        before: files that it changes, and what they are before it: a module of this folder.
    """

    name: str
    subject: str
    says: str = ""
    measured: str = ""
    files: tuple[str, ...] = ()
    twin: Twin | None = None
    before: tuple[tuple[str, str], ...] = ()


OURS = "litellm/llms/remodlai"
_TESTS = f"tests/test_{OURS}"

_CALL = "of the processor time of a synchronous call, with and without in turn in one process."

PATCHES = (
    Patch(
        "self-hosted-tests",
        "test: add a server on loopback for tests of self-hosted providers",
        "It records what it is asked, and answers as vLLM does.",
    ),
    Patch("create-response", "feat(responses): export create_response and acreate_response"),
    Patch("fix-unfinished-answers", "fix(chat): keep finish reasons that say an answer is unfinished"),
    Patch("fix-choices-of-a-stream", "fix(streaming): keep the choices of a chunk apart"),
    Patch("fix-content-parts", "fix(chat): send content parts as the caller wrote them"),
    Patch("fix-prefilled-answers", "fix(messages): continue a prefilled answer"),
    Patch("fix-schema-keywords", "fix(tools): leave a schema's properties alone that are named like keywords"),
    Patch("fix-token-ids-as-prompt", "fix(text completion): send token ids as a prompt"),
    Patch(
        "fix-left-text-completions",
        "fix(proxy): bill and log a text completion's stream that its client leaves",
    ),
    Patch("fix-uncounted-streams", "fix(usage): count the tokens of a stream whose server reports none"),
    Patch("fix-router-text-completion", "fix(router): call a deployment's model in text_completion"),
    Patch(
        "fix-streams-counted-once",
        "fix(router): count a synchronous stream as one call that succeeded",
        "Each of its chunks was counted, so one answer outweighed many failures.",
    ),
    Patch("fix-merged-extra-body", "fix(router): merge a deployment's extra_body with a call's"),
    Patch("fix-max-retries", "fix(retries): retry a call as often as it says"),
    Patch("fix-messages-stream-tool-calls", "fix(messages): stream every tool call of an answer"),
    Patch("fix-messages-tools-untouched", "fix(messages): leave the caller's tools as they are"),
    Patch("fix-context-window-wordings", "fix(exceptions): know more wordings of a context that is too long"),
    Patch("fix-cached-reasoning", "fix(caching): keep the reasoning of a cached answer"),
    Patch("fix-capability-flags", "fix(capabilities): believe what a deployment says its model can"),
    Patch("fix-base-model-prices", "fix(cost): price a model by its base_model"),
    Patch("fix-plain-installation", "fix(caching): answer from the cache without the proxy's packages"),
    Patch("broken-responses", "fix(responses): raise litellm's errors where a stream breaks off"),
    Patch("broken-messages", "fix(messages): raise where a synchronous stream breaks off"),
    Patch("raising-responses", "fix(responses): close the connection of a stream that raises"),
    Patch(
        "collected-streams",
        "fix(http): let a synchronous stream be collected inside httpcore",
        files=("tests/test_litellm/llms/custom_httpx/collect_inside_pool.py",),
    ),
    Patch("no-database", "fix(proxy): answer as without a database where there is none"),
    Patch(
        "listed-enums",
        "perf: list enums and the parameters of a call once",
        measured="82 us of a synchronous call's processor time (2.2 ms); 14 % of a Responses stream of 200 events.",
    ),
    Patch(
        "params-items",
        "perf: make a dict of a call's parameters without looking at their names",
        measured="2 % of the processor time of a Responses stream of 200 events, 5 % of its call.",
    ),
    Patch(
        "given-base",
        "perf: read a base that was given without validating all parameters",
        measured=f"3 % {_CALL}",
    ),
    Patch(
        "unmapped-models",
        "perf(cost): search the price lists once for a model that none knows",
        measured=f"27 % {_CALL}",
    ),
    Patch(
        "unpriced-models",
        "perf(cost): do not look for a price that no list has",
        measured=f"14 % {_CALL}",
    ),
    Patch(
        "unheard-success",
        "perf(logging): build no log entry where no callback hears of it",
        measured=f"19 % {_CALL}; 35 % of a chunk of a synchronous stream of 200.",
    ),
    Patch(
        "proxy-not-loaded",
        "perf(messages): do not load the proxy where none is running",
        measured="the first messages call of a process 6.6 s to 0.1 s; a plain call after it 2.27 to 1.72 ms.",
    ),
    Patch(
        "messages-text-events",
        "perf(messages): ask a chunk of text for nothing that it does not hold",
        measured="22 % of the processor time of an event, with and without in turn in one process.",
    ),
    Patch(
        "plain-events",
        "perf(responses): make nothing for an event without hooks, or of text alone",
        measured="a synchronous event of hosted_vllm/ 189 to 75 us of processor time, an asynchronous one 68 to 53.",
    ),
    Patch(
        "event-lines",
        "perf(responses): read the events of a stream many at once",
        measured="17 % of the processor time of an asynchronous stream of 200 events, with and without in turn.",
    ),
    Patch(
        "frozen-startup",
        "perf(proxy): keep what a proxy starts with out of garbage collections",
        measured="10 % of the processor time of a plain call through a proxy, 22 % of a streamed chunk.",
    ),
    Patch(
        "plain-chunks",
        "perf(proxy): serialize a chunk from plain objects",
        measured="23 of about 170 us of processor time of a chunk, 64 streams at once through one worker.",
    ),
    Patch(
        "without-limits",
        "perf(router): remember deployments without limits",
        measured="620 of 13,200 us of processor time of a call, 64 at once through one worker.",
    ),
    Patch(
        "remodlai",
        "feat(providers): add remodlai, Lexiq Nova's hosted servers",
        """\
`remodlai/` is a server of Lexiq Nova with an OpenAI-compatible API. It does what `hosted_vllm/` does on every endpoint,
and sends a call to the configured server or raises: never to another host, and never with another provider's key.

Each endpoint's class inherits from `HostedVLLM…` and says only who it is.
""",
        twin=REMODLAI,
    ),
    Patch(
        "embeddings",
        "feat(embeddings): route by task, and carry large batches as base64",
        """\
A Router chooses among deployments of one embedding model by the task of a request, and a task is part of a cache's key.
Large batches travel as base64, which is smaller and faster to read than numbers; a server that cannot is asked once
more, for floats.
""",
        files=(f"{OURS}/embedding/floats.py", f"{OURS}/embedding/routing.py", f"{_TESTS}/embedding/*task_routing.py"),
    ),
    Patch(
        "streams",
        "perf(streaming): make the chunks of remodlai's streams from templates",
        """\
Nearly every chunk of a stream differs from an earlier one in one string. The first chunk of each shape goes through the
code of all providers; later ones are copies of it around another string. Everything else is handled as it was.
""",
        measured="a chunk of a synchronous stream of 200 takes 0.08, of an asynchronous one 0.11 of hosted_vllm's.",
        files=(
            f"{OURS}/chat/chunk_template.py",
            f"{OURS}/chat/kept_chunks.py",
            f"{OURS}/chat/response_lines.py",
            f"{OURS}/chat/streaming.py",
            f"{_TESTS}/chat/*streaming.py",
            f"{_TESTS}/chat/*kept_chunks.py",
        ),
    ),
    Patch(
        "pass-through",
        "feat(proxy): pass requests through to the servers of remodlai",
        files=(f"{OURS}/passthrough/endpoints.py", f"{OURS}/passthrough/route.py", f"{_TESTS}/passthrough/*"),
    ),
    Patch(
        "lexiq-nova",
        "feat(providers): add lexiq_nova, a vLLM server on the caller's machine",
        """\
`lexiq_nova/` is to `remodlai/` what `vllm/` is to `hosted_vllm/`: the same classes, with a server, a key and variables
of their own.
""",
        files=(f"{OURS}/completion/transformation.py",),
        twin=LEXIQ_NOVA,
    ),
    Patch(
        "local-engine",
        "feat(lexiq_nova): start and share vLLM on the caller's machine",
        """\
Where no server is configured, the first call to a model starts vLLM for it, and processes of one user share it.
`lexiq-nova` runs, lists and stops models.
""",
        files=(
            f"{OURS}/__main__.py",
            f"{OURS}/chat/progress_stream.py",
            f"{OURS}/command/*",
            f"{OURS}/completion/handler.py",
            f"{OURS}/doctor.py",
            f"{OURS}/engine/*",
            f"{OURS}/startup.py",
            f"{_TESTS}/completion/*",
            f"{_TESTS}/test_remodlai_doctor.py",
            f"{_TESTS}/test_remodlai_startup.py",
        ),
        before=((f"{OURS}/local.py", "without_engine.py"),),
    ),
)
