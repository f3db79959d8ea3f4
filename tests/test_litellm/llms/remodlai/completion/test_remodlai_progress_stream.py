"""Streams that tell how far the start of a local engine is, with a stand-in for vLLM."""

import asyncio
import gc
import logging
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import litellm
from litellm.llms.remodlai.chat.progress_stream import ProgressStream
from litellm.llms.remodlai.chat.streaming import TemplateStream
from litellm.llms.remodlai.engine import answer
from litellm.llms.remodlai.engine.engine import Engine
from litellm.llms.remodlai.engine.runtime import ask, listens, runtime_directory, wait

from .waiting import eventually

pytest.importorskip("uvicorn")
pytestmark = pytest.mark.usefixtures("machine")

MESSAGES = [{"role": "user", "content": "one two"}]
TELLING = {"progress_chunks": True}
USAGE = {"stream_options": {"include_usage": True}}
BROKEN = "broken/model"
OPTION = {"no_such_option": True}


def chat(model: str = "telling/model", **options: Any) -> Any:
    return litellm.completion(
        **{"model": f"lexiq_nova/{model}", "messages": MESSAGES, "stream": True, "engine_args": TELLING, **options}
    )


async def achat(model: str = "telling/model", **options: Any) -> Any:
    return await litellm.acompletion(
        **{"model": f"lexiq_nova/{model}", "messages": MESSAGES, "stream": True, "engine_args": TELLING, **options}
    )


def read(**options: Any) -> list[Any]:
    return list(chat(**options))


def aread(**options: Any) -> list[Any]:
    async def reading() -> list[Any]:
        return [chunk async for chunk in await achat(**options)]

    return asyncio.run(reading())


def routed(**options: Any) -> list[Any]:
    return list(router().completion("local", MESSAGES, stream=True, **options))


def arouted(**options: Any) -> list[Any]:
    async def reading() -> list[Any]:
        stream = await router().acompletion("local", MESSAGES, stream=True, **options)
        return [chunk async for chunk in stream]

    return asyncio.run(reading())


def router(model: str = "telling/model", **more: Any) -> litellm.Router:
    local = {"model": f"lexiq_nova/{model}", "engine_args": TELLING}
    other = {"model": "lexiq_nova/other/model"}
    deployments = [
        {"model_name": name, "litellm_params": params} for name, params in (("local", local), ("other", other))
    ]
    return litellm.Router(model_list=deployments, **{"num_retries": 0, **more})


WAYS = [read, aread, routed, arouted]


def said(chunks: list[Any]) -> list[str]:
    """What is told of the start, without the seconds."""
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    lines = [delta.reasoning_content for delta in deltas if getattr(delta, "reasoning_content", None)]
    return [line.partition(": ")[2].partition(" (")[0].partition(" after")[0].rstrip() for line in lines]


STAGES = ["starting vLLM", "loading weights", "warming up", "starting the server", "ready"]


def no_place_is_held() -> bool:
    queue = runtime_directory() / "queue"
    return not any(answer._WAITING.values()) and not (queue.exists() and any(queue.iterdir()))


def nothing_is_held() -> bool:
    return no_place_is_held() and all(thread.name != "lexiq-nova-waiting" for thread in threading.enumerate())


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    eventually(nothing_is_held)


@pytest.mark.parametrize("way", WAYS)
def test_lines_of_the_log_then_the_answer_as_always(
    way: Callable[..., list[Any]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lexiq_nova")
    cold = way(**USAGE)
    logged = [f"{record.getMessage()}\n" for record in caplog.records if record.name == "lexiq_nova"]
    deltas = [chunk.choices[0].delta for chunk in cold if chunk.choices]
    told = [delta.reasoning_content for delta in deltas if getattr(delta, "reasoning_content", None)]
    assert told == logged and said(cold) == STAGES
    assert [getattr(delta, "role", None) for delta in deltas] == ["assistant", *[None] * (len(deltas) - 1)]
    warm = way(**USAGE)
    assert said(warm) == []
    answers = [litellm.stream_chunk_builder(chunks, messages=MESSAGES) for chunks in (cold, warm)]
    assert len({each.choices[0].message.content for each in answers}) == 1
    assert answers[0].usage == answers[1].usage and answers[0].usage.completion_tokens == 1
    rest = [delta for delta in deltas if delta.content]
    assert [delta.content for delta in rest] == ["user: ", "one ", "two "]


def test_what_is_logged_and_paid_for_is_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Any] = []

    class Heard(litellm.integrations.custom_logger.CustomLogger):  # type: ignore[name-defined]
        def log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
            heard.append(response_obj)

    monkeypatch.setattr(litellm, "callbacks", [Heard()])
    assert said(read(**USAGE)) == STAGES
    eventually(lambda: heard)
    message = heard[-1].choices[0].message
    assert message.content == "user: one two " and not getattr(message, "reasoning_content", None)
    assert heard[-1].usage.completion_tokens == 1


def test_off_by_default_and_on_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(read(model="some/model", engine_args=None)) == []
    monkeypatch.setenv("LEXIQ_NOVA_PROGRESS_CHUNKS", "1")
    assert said(read(model="another/model", engine_args={"progress_chunks": False})) == []
    assert said(read(model="third/model", engine_args=None)) == ["starting vLLM", "ready"]
    monkeypatch.setenv("LEXIQ_NOVA_PROGRESS_CHUNKS", "0")
    monkeypatch.setenv("LEXIQ_NOVA_ENGINE_ARGS", "--progress-chunks")
    assert said(read(model="fourth/model", engine_args=None)) == ["starting vLLM", "ready"]


def test_a_warm_engine_s_stream_is_the_usual_one() -> None:
    with chat() as cold:
        assert type(cold) is ProgressStream
        list(cold)
    assert type(chat()) is TemplateStream
    assert Engine.of("telling/model", TELLING) == Engine.of("telling/model")


def test_one_call_s_wish_is_none_of_another_s() -> None:
    with ThreadPoolExecutor(8) as threads:
        wishes = [{"progress_chunks": bool(index % 2)} for index in range(8)]
        told = list(threads.map(lambda options: said(read(engine_args=options)), wishes))
    assert [len(lines) > 1 for lines in told] == [options["progress_chunks"] for options in wishes]
    assert all(len(set(lines)) == len(lines) and lines[-1:] in ([], ["ready"]) for lines in told), told


def test_content_stays_content_where_reasoning_is_merged_into_it() -> None:
    chunks = read(merge_reasoning_content_in_choices=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "user: one two "


@pytest.mark.parametrize("way", WAYS[:2])
@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"model": BROKEN}, litellm.ServiceUnavailableError),
        ({"model": "telling/model", "engine_args": {**OPTION, **TELLING}}, litellm.BadRequestError),
        ({"model": "endless/model", "timeout": 0.8}, litellm.Timeout),
    ],
)
def test_a_start_that_fails_raises_from_the_stream_what_the_call_raises(
    way: Callable[..., list[Any]], options: dict[str, Any], error: type[Exception]
) -> None:
    stream = chat(**options) if way is read else None
    with pytest.raises(error) as streamed:
        list(stream) if stream is not None else way(**options)
    with pytest.raises(error) as plain:
        chat(**{**options, "stream": False})
    assert type(streamed.value) is type(plain.value) is error
    texts = [re.sub(r", \d+ s$", "", str(each.value)) for each in (streamed, plain)]  # since when it is so far
    assert texts[0] == texts[1]


def test_what_is_known_not_to_start_is_refused_by_the_call_itself() -> None:
    with pytest.raises(litellm.NotFoundError, match="there is no model at ./a-typo"):
        chat("./a-typo")
    with pytest.raises(litellm.ServiceUnavailableError):
        read(model=BROKEN)
    with pytest.raises(litellm.ServiceUnavailableError, match="head size 7"):
        chat(BROKEN)


@pytest.mark.parametrize("is_async", [False, True])
def test_a_router_falls_back_where_a_start_fails(is_async: bool) -> None:
    def ask_router(fallbacks: list[Any]) -> list[Any]:
        routes = router(BROKEN, fallbacks=fallbacks)
        if not is_async:
            return list(routes.completion("local", MESSAGES, stream=True))

        async def reading() -> list[Any]:
            return [chunk async for chunk in await routes.acompletion("local", MESSAGES, stream=True)]

        return asyncio.run(reading())

    chunks = ask_router([{"local": ["other"]}])
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "user: one two "
    Engine.of(BROKEN).folder.joinpath("failed").unlink()
    with pytest.raises(litellm.ServiceUnavailableError, match="head size 7") as failed:
        ask_router([])
    assert type(failed.value) is litellm.ServiceUnavailableError


def test_a_reader_that_stops_reading_keeps_nobody_from_anything() -> None:
    stream = chat("some/model")
    first = next(stream)
    eventually(lambda: listens(Engine.of("some/model").socket))
    eventually(nothing_is_held)
    assert said([first, *stream]) == ["starting vLLM", "ready"]


def state(model: str) -> str:
    return (wait(ask(Engine.of(model).folder, "status")) or {}).get("state", "")


def leave_by_close(model: str) -> None:
    stream = chat(model)
    next(stream)
    stream.close()
    assert no_place_is_held()
    assert list(stream) == []


def leave_by_dropping(model: str) -> None:
    next(chat(model))


def leave_without_reading(model: str) -> None:
    chat(model)
    gc.collect()  # upstream's logging object and a stream know each other until the first chunk


def leave_by_aclose(model: str) -> None:
    async def leaving() -> None:
        stream = await achat(model)
        await anext(stream)
        await stream.aclose()
        assert no_place_is_held() and len(asyncio.all_tasks()) == 1
        assert [chunk async for chunk in stream] == []

    asyncio.run(leaving())


def leave_by_cancelling(model: str) -> None:
    async def leaving() -> None:
        async def reading() -> None:
            async for _ in await achat(model):
                continue

        task = asyncio.create_task(reading())
        while not state(model):
            await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0.05)
        assert no_place_is_held()

    asyncio.run(leaving())


def test_the_load_goes_on_when_its_readers_leave() -> None:
    pids = []
    for leave in (leave_by_close, leave_by_dropping, leave_without_reading, leave_by_aclose, leave_by_cancelling):
        leave("endless/model")
        eventually(lambda: nothing_is_held() and state("endless/model") == "loading")
        pids.append((wait(ask(Engine.of("endless/model").folder, "status")) or {})["pid"])
    assert len(set(pids)) == 1


@pytest.mark.parametrize("leave", [leave_by_close, leave_by_aclose])
def test_a_place_in_the_queue_is_given_back(leave: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXIQ_NOVA_MAX_ENGINES", "1")
    forever = [{"role": "user", "content": "say it forever"}]
    with chat("some/model", messages=forever) as busy:
        assert next(chunk for chunk in busy if chunk.choices[0].delta.content)
        eventually(nothing_is_held)
        leave("another/model")
        waits = chat("third/model")
        assert any(line.startswith("waiting for some/model to finish") for line in said([next(waits), next(waits)]))
        waits.close()
    assert "user: " in [chunk.choices[0].delta.content for chunk in read(model="third/model")]
