"""Headers of a call reach the server on every endpoint; an `Authorization` among them stands in for a key."""

import asyncio

import pytest
from edges.calls import EVERY_WAY, KEY, KINDS, PROVIDERS, ask, base

import litellm
from support.recording import RecordingServer, Request, Response

every_provider = pytest.mark.parametrize("provider", PROVIDERS)


def every(request: Request, name: str) -> list[str]:
    return [value for key, value in request.headers if key.lower() == name]


@every_provider
@pytest.mark.parametrize("name", KINDS)
def test_on_every_endpoint(server: RecordingServer, provider: str, name: str) -> None:
    for kind, is_async, streamed in EVERY_WAY:
        if kind != name:
            continue
        for argument in ("headers", "extra_headers"):
            brought = {argument: {"X-Trace": argument, "authorization": "Bearer mine"}}
            with pytest.raises(Exception, match="refused|400 Bad Request"):
                ask(name, provider, is_async, streamed, api_base=base(server), api_key=None, **brought)
            with pytest.raises(Exception, match="refused|400 Bad Request"):
                ask(name, provider, is_async, streamed, api_base=base(server), api_key=None)
            first, second = server.take()
            assert (every(first, "x-trace"), every(first, "authorization")) == ([argument], ["Bearer mine"])
            assert (every(second, "x-trace"), every(second, "authorization")) == (
                [],
                [] if name in ("embedding", "decisions") else ["Bearer fake-api-key"],
            )


@every_provider
def test_by_name_and_by_id(server: RecordingServer, provider: str) -> None:
    call = {"custom_llm_provider": provider, "api_base": base(server), "extra_headers": {"Authorization": "Bearer me"}}
    for asked in (
        lambda: litellm.file_list(**call),
        lambda: litellm.file_content("f", **call),
        lambda: litellm.list_batches(**call),
        lambda: litellm.get_responses("r", **call),
        lambda: asyncio.run(litellm.afile_delete("f", **call)),
        lambda: asyncio.run(litellm.adelete_responses("r", **call)),
    ):
        with pytest.raises(Exception, match="refused"):
            asked()
        assert [every(request, "authorization") for request in server.take()] == [["Bearer me"]]


@every_provider
@pytest.mark.parametrize("name", ["completion", "transcription", "speech", "moderation"])
def test_a_key_stays_the_deployments(server: RecordingServer, provider: str, name: str) -> None:
    brought = {"extra_headers": {"authorization": "Bearer mine", "X-Trace": "t"}}
    for is_async in (False, True):
        with pytest.raises(Exception, match="refused"):
            ask(name, provider, is_async, api_base=base(server), **brought)
        (request,) = server.take()
        assert (every(request, "authorization"), every(request, "x-trace")) == ([f"Bearer {KEY}"], ["t"])


@every_provider
def test_what_describes_the_body_is_not_the_callers(server: RecordingServer, provider: str) -> None:
    brought = {"extra_headers": {"Content-Type": "application/json", "content-length": "3"}}
    with pytest.raises(Exception, match="refused"):
        ask("transcription", provider, api_base=base(server), **brought)
    (request,) = server.take()
    assert {part.name for part in request.parts()} >= {"file", "model"}


@every_provider
def test_a_key_in_them_is_shown_nowhere(server: RecordingServer, provider: str) -> None:
    server.responder = lambda request: Response(
        401, json={"error": {"message": f"no {request.header('authorization')}"}}
    )
    for name in KINDS:
        with pytest.raises(Exception, match="no Bearer|401") as caught:
            ask(
                name, provider, api_base=base(server), api_key=None, headers={"Authorization": "Bearer sk-of-mine-only"}
            )
        assert "sk-of-mine-only" not in f"{caught.value!r} {caught.value}"
        with pytest.raises(Exception) as caught:  # of any class that LiteLLM has for status 401
            ask(name, provider, api_base=base(server), api_key=None, headers={"Authorization": "Bearer se\ncret"})
        assert "cret" not in f"{caught.value!r} {caught.value}"


def test_a_call_inside_of_another_has_only_its_own(server: RecordingServer) -> None:
    with RecordingServer(server.responder) as other:

        class Asks(litellm.integrations.custom_logger.CustomLogger):
            def log_pre_api_call(self, model, messages, kwargs):  # type: ignore[no-untyped-def]
                if model == "m":
                    with pytest.raises(litellm.BadRequestError):
                        litellm.rerank("remodlai/inner", "q", ["a"], api_base=base(other))

        litellm.callbacks = [Asks()]
        try:
            with pytest.raises(litellm.BadRequestError):
                ask("rerank", "remodlai", api_base=base(server), extra_headers={"X-Secret": "s"})
        finally:
            litellm.callbacks = []
        (inner,) = other.take()
        (outer,) = server.take()
    assert (every(inner, "x-secret"), every(outer, "x-secret")) == ([], ["s"])
