"""What the endpoints of the differential suite share: how a case is put together, common parameters, files."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from parity import answers as a
from parity.answers import some
from parity.harness import Case, File
from parity.public_calls import png, wav

from support.recording import Response

MODELS = st.sampled_from(["m", "m", "org/name", "gpt-oss-120b", "o3-mini", "openai/gpt-4o", "hosted", "a:b@c"])
BASES = st.sampled_from(["/v1", "/v1", "/v1", "/v1/", "/openai/v1", "/some/path", "", "/"])
WAV = File("speech.wav", wav().getvalue())
PNG = File("picture.png", png().getvalue())
JSONL = File("requests.jsonl", b'{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {}}\n')

common = some(
    3,
    timeout=st.sampled_from([30, 12.5]),
    max_retries=st.integers(0, 2),
    extra_headers=st.sampled_from([{"x-a": "1"}, {"Authorization": "Bearer other"}, {"user-agent": "me"}]),
    headers=st.just({"x-b": "2"}),
    metadata=st.sampled_from([{}, {"tags": ["t"], "user_api_key": "hash"}]),
    litellm_metadata=st.just({"a": 1}),
    user=st.just("someone"),
    drop_params=st.booleans(),
    input_cost_per_token=st.just(0.001),
    output_cost_per_token=st.just(0.002),
)
"""Parameters that every call understands."""

routers = some(
    2,
    num_retries=st.integers(0, 2),
    retry_after=st.sampled_from([0, 1]),
    timeout=st.just(20),
    routing_strategy=st.just("simple-shuffle"),
    default_litellm_params=st.just({"metadata": {"d": 1}}),
    set_verbose=st.just(False),
)


@dataclass(frozen=True)
class Endpoint:
    """One endpoint: its name, its cases, and its share of all cases."""

    name: str
    cases: SearchStrategy[Case]
    share: int = 1

    def each_case(self, count: int, see: Callable[[Case], None], seed: int | None = None) -> None:
        """Calls `see` with each of about `count` cases, the same ones for a seed; a case may come more than once."""

        @hypothesis.settings(
            max_examples=count,
            derandomize=seed is None,
            database=None,
            deadline=None,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(self.cases)
        def each(case: Case) -> None:
            see(case)

        (each if seed is None else hypothesis.seed(seed)(each))()


def called(
    endpoint: str,
    calls: tuple[str, ...],
    params: SearchStrategy[dict[str, Any]],
    answer: Callable[[dict[str, Any]], SearchStrategy[tuple[Response, ...]]],
    *,
    models: SearchStrategy[str | None] = MODELS,
    router: tuple[str, ...] = (),
    shared: SearchStrategy[dict[str, Any]] = common,
) -> SearchStrategy[Case]:
    """Cases that call one of `calls`, or one of `router` on a Router, with `params` and some common parameters;
    `answer` gives the strategy of the server's answers for the parameters drawn."""

    @st.composite
    def build(draw: Any) -> Case:
        arguments = {**draw(params), **draw(shared)}
        model = draw(models)
        case = Case(
            endpoint=endpoint,
            call=draw(st.sampled_from(calls)),
            params=arguments,
            answers=draw(answer(arguments)),
            model=model,
            ask=draw(st.sampled_from(["prefix", "prefix", "provider"])) if model else "provider",
            base=draw(BASES),
            configured=draw(st.sampled_from(["arguments"] * 4 + ["environment", "module"])),
            key=draw(st.sampled_from(["sk-case", "sk-case", None])),
        )
        if router and draw(st.integers(0, 3)) == 0:
            arguments = {k: v for k, v in arguments.items() if k not in ("max_retries", "headers")}
            return replace(
                case, call=draw(st.sampled_from(router)), via="router", params=arguments, router=draw(routers)
            )
        return case

    return build()


streaming = st.sampled_from(
    [{}, {}, {"stream": False}, {"stream": True}, {"stream": True}, {"stream": True}]
    + [{"stream": True, "stream_options": {"include_usage": True}}]
)


def merged(*strategies: SearchStrategy[dict[str, Any]]) -> SearchStrategy[dict[str, Any]]:
    return st.tuples(*strategies).map(lambda parts: {key: value for part in parts for key, value in part.items()})


def given(**fixed: SearchStrategy[Any]) -> SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(fixed)


def streamed_or(body: SearchStrategy[Any], streams: SearchStrategy[Response]) -> Callable[[dict[str, Any]], Any]:
    return lambda params: a.answers(streams) if params.get("stream") else a.bodies(body)


NO_MODEL = st.none()
plain_common = some(2, timeout=st.just(20), extra_headers=st.just({"x-a": "1"}))
