"""A Lexiq Nova server without a model: the routes of vLLM's server, answered from a table.

`python -m proxy.backend PAUSE` is one as a process of its own, for tests that kill it: `Replica`. It pauses before
every answer and between the chunks of a stream, so that calls overlap.
"""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from support.recording import RecordingServer, Request, Response, streamed

SERVER_KEY = f"nova-{secrets.token_urlsafe(24)}"
INPUT_COST, OUTPUT_COST, SECOND_COST = 1e-6, 2e-6, 0.125
"""Prices of the deployments `lexiq-nova-chat` (per token) and `lexiq-nova-by-the-second`, in dollars."""
WORDS = ("The", " capital", " of", " France", " is", " Paris", ".")
TEXT = "".join(WORDS)
USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
CREATED = 1_700_000_000
FOREVER = 60.0
"""What an answer that is never made waits for, in seconds: longer than any test."""
HEAD = {"id": "chatcmpl-1", "created": CREATED, "model": "nova"}
TOOL_CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'},
}


def chunk(delta: dict[str, Any] | None, finish_reason: str | None = None, **more: Any) -> dict[str, Any]:
    """One chunk of a chat stream; without a delta, one that has no choice."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}]
    return {**HEAD, "object": "chat.completion.chunk", "choices": choices, **more}


def chat_events(asked: dict[str, Any]) -> list[Any]:
    """The chunks of a streamed chat answer to this request."""
    if asked.get("tools"):
        first, last = {"tool_calls": [{"index": 0, **TOOL_CALL}]}, "tool_calls"
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": None}, first]
    else:
        deltas, last = [{"role": "assistant", "content": ""}, *({"content": word} for word in WORDS)], "stop"
    counted = (asked.get("stream_options") or {}).get("include_usage")
    return [*map(chunk, deltas), chunk({}, last), *([chunk(None, usage=USAGE)] if counted else [])]


def chat(request: Request) -> Response:
    asked = request.json()
    if asked.get("stream"):
        return streamed(*chat_events(asked))
    message: dict[str, Any] = {"role": "assistant", "content": TEXT}
    if asked.get("tools"):
        message = {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if asked.get("tools") else "stop"}
    return Response(json={**HEAD, "object": "chat.completion", "choices": [choice], "usage": USAGE})


def text(request: Request) -> Response:
    choice = {"index": 0, "text": TEXT, "logprobs": None, "finish_reason": "stop"}
    answer = {**HEAD, "id": "cmpl-1", "object": "text_completion"}
    if request.json().get("stream"):
        return streamed(*({**answer, "choices": [{**choice, "text": word}]} for word in WORDS))
    return Response(json={**answer, "choices": [choice], "usage": USAGE})


def responses(request: Request) -> Response:
    asked = request.json()
    part = {"type": "output_text", "text": TEXT, "annotations": []}
    item = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [part]}
    answer: dict[str, Any] = {
        "id": "resp_1",
        "object": "response",
        "created_at": CREATED,
        "model": "nova",
        "status": "completed",
        "output": [item],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": {
            "input_tokens": 11,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 7,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 18,
        },
    }
    if not asked.get("stream"):
        return Response(json=answer)
    started = {**answer, "status": "in_progress", "output": [], "usage": None}
    where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    told: list[dict[str, Any]] = [
        {"type": "response.created", "response": started},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}},
        {"type": "response.content_part.added", **where, "part": {**part, "text": ""}},
        *({"type": "response.output_text.delta", **where, "delta": word, "logprobs": []} for word in WORDS),
        {"type": "response.output_text.done", **where, "text": TEXT, "logprobs": []},
        {"type": "response.content_part.done", **where, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": answer},
    ]
    return streamed(*({**event, "sequence_number": number} for number, event in enumerate(told)))


def embeddings(request: Request) -> Response:
    given = request.json()["input"]
    inputs = given if isinstance(given, list) else [given]
    data = [{"object": "embedding", "index": i, "embedding": [float(i), 0.5, -0.25]} for i in range(len(inputs))]
    usage = {"prompt_tokens": 3 * len(inputs), "total_tokens": 3 * len(inputs)}
    return Response(json={"object": "list", "model": "nova", "data": data, "usage": usage})


def rerank(request: Request) -> Response:
    documents = request.json()["documents"]
    results = [
        {"index": i, "document": {"text": document}, "relevance_score": 1 / (1 + abs(i - 1))}
        for i, document in enumerate(documents)
    ]
    results.sort(key=lambda result: -result["relevance_score"])
    results = results[: request.json().get("top_n") or len(results)]
    return Response(json={"id": "rerank-1", "model": "nova", "usage": {"total_tokens": 9}, "results": results})


def fixed(json: Any) -> Callable[[Request], Response]:
    return lambda request: Response(json=json)


ROUTES: dict[str, Callable[[Request], Response]] = {
    "/health": lambda request: Response(),
    "/v1/models": fixed({"object": "list", "data": [{"id": "nova", "object": "model", "max_model_len": 2048}]}),
    "/v1/chat/completions": chat,
    "/v1/completions": text,
    "/v1/responses": responses,
    "/v1/embeddings": embeddings,
    "/v1/audio/transcriptions": fixed({"text": TEXT}),
    **dict.fromkeys(("/rerank", "/v1/rerank", "/v2/rerank"), rerank),
    "/tokenize": fixed({"count": 2, "max_model_len": 2048, "tokens": [1, 2]}),
    "/detokenize": fixed({"prompt": TEXT}),
    "/score": fixed({"object": "list", "data": [{"index": 0, "object": "score", "score": 0.75}]}),
    "/pooling": fixed({"object": "list", "data": [{"index": 0, "object": "pooling", "data": [[0.5, 0.25]]}]}),
    "/classify": fixed({"object": "list", "data": [{"index": 0, "label": "good", "probs": [0.9, 0.1]}]}),
    "/v2/embed": fixed({"embeddings": {"float": [[0.5, 0.25]]}}),
    "/version": fixed({"version": "0.0"}),
    "/load": fixed({"server_load": 0}),
}


def serving(key: str) -> Callable[[Request], Response]:
    """What a server with this key answers; without it, 401 on every route but `/health`."""

    def answer(request: Request) -> Response:
        if request.path != "/health" and request.header("authorization") != f"Bearer {key}":
            return Response(401, json={"error": {"message": "Unauthorized", "type": "Unauthorized", "code": 401}})
        missing = Response(404, json={"detail": "Not Found"})
        return ROUTES.get(request.path, lambda request: missing)(request)

    return answer


def paused(respond: Callable[[Request], Response], pause: float) -> Callable[[Request], Response]:
    """The same answers, `pause` seconds late, and as long between the chunks of a stream."""

    def answer(request: Request) -> Response:
        response = respond(request)
        chunks = response.chunks and [item for chunk in response.chunks for item in (chunk, pause)]
        return replace(response, chunks=chunks, delay=pause)

    return answer


def endless(request: Request) -> Response:
    """An answer that does not end by itself: a stream of words, or one that is long in coming."""
    if not request.json().get("stream"):
        return Response(json={}, delay=FOREVER)

    def chunks() -> Iterator[Any]:
        if request.path == "/v1/responses":
            for event in responses(request).chunks or ():
                yield event
                yield 0.2
            yield FOREVER
        while True:
            more = {"text": WORDS[0], "index": 0, "finish_reason": None}
            event = {"object": "text_completion", "choices": [more]} if request.path == "/v1/completions" else None
            yield f"data: {json.dumps(event or chunk({'content': WORDS[0]}))}\n\n"
            yield 0.05

    return Response(chunks=chunks(), headers={"content-type": "text/event-stream"})


class Replica:
    """A server of this kind as a process of its own.

    Args:
        key: the key it asks for.
        pause: in seconds, see `paused`.
    """

    def __init__(self, key: str, pause: float) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "proxy.backend", str(pause)],
            cwd=Path(__file__).parents[1],
            env={**os.environ, "BACKEND_KEY": key},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def kill(self) -> None:
        """As `kill -9` does: what it was sending stays unfinished."""
        self.process.kill()
        self.process.wait()


if __name__ == "__main__":
    with RecordingServer(paused(serving(os.environ["BACKEND_KEY"]), float(sys.argv[1]))) as server:
        sys.stdout.write(f"{server.port}\n")
        sys.stdout.flush()
        sys.stdin.read()  # until the test that started it is gone
