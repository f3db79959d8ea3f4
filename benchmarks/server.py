"""
An OpenAI-compatible server without latency: raw asyncio, every answer serialised before the first request.

It is a program of its own (`python -m benchmarks.server`), so that its CPU time is nobody's, and it answers as fast as
a socket takes the bytes. Prints its port. Which answer a request gets is told by its path and body, not parsed as JSON:
the model name holds the number of chunks (`chunks-200`), the embedding request the number of vectors.
"""

import asyncio
import json
import re
from functools import cache

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\n%s\r\n\r\n"
WORDS = ("The", " capital", " of", " France", " is", " Paris", ",", " a", " city", " on", " the", " Seine", ".", "\n")
USAGE = {"prompt_tokens": 12, "completion_tokens": 200, "total_tokens": 212}
CHUNKS = re.compile(rb'"model"\s*:\s*"[^"]*chunks-(\d+)')
DIMENSIONS = 1024


def plain(body: bytes, kind: bytes = b"application/json") -> bytes:
    return HEAD % (kind, b"content-length: %d" % len(body)) + body


@cache
def completion() -> bytes:
    message = {"role": "assistant", "content": "".join(WORDS)}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop", "stop_reason": None}
    return plain(
        json.dumps(
            {
                "id": "chatcmpl-0123456789abcdef0123456789abcdef",
                "object": "chat.completion",
                "created": 1700000000,
                "model": "bench",
                "choices": [choice],
                "usage": USAGE,
                "prompt_logprobs": None,
            }
        ).encode()
    )


def event(delta: dict[str, str], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason, "token_ids": None}
    chunk = {
        "id": "chatcmpl-0123456789abcdef0123456789abcdef",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "bench",
        "choices": [choice],
    }
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"


@cache
def stream(count: int) -> bytes:
    """Returns a stream of `count` chunks with content, each in an HTTP chunk of its own, as uvicorn sends them."""
    return streamed(
        [
            event({"role": "assistant", "content": ""}),
            *(event({"content": WORDS[i % len(WORDS)]}) for i in range(count)),
            event({"content": ""}, "stop"),
            b"data: [DONE]\n\n",
        ]
    )


def streamed(events: list[bytes]) -> bytes:
    """Returns an answer of these events; an empty HTTP chunk ends it."""
    return HEAD % (b"text/event-stream", b"transfer-encoding: chunked") + b"".join(
        b"%x\r\n%s\r\n" % (len(one), one) for one in (*events, b"")
    )


def response_event(number: int, kind: str, **fields: object) -> bytes:
    data = json.dumps({"type": kind, "sequence_number": number, **fields}, separators=(",", ":"))
    return f"event: {kind}\ndata: {data}\n\n".encode()


@cache
def response_stream(count: int) -> bytes:
    """Returns a stream of the Responses API with `count` events of text and eight around them."""
    texts = [WORDS[i % len(WORDS)] for i in range(count)]
    place = {"item_id": "msg_0", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "text": "".join(texts), "annotations": []}
    item = {"id": "msg_0", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    begun = {"id": "resp_0", "object": "response", "created_at": 1700000000, "model": "bench", "status": "in_progress"}
    begun |= {"output": [], "tools": [], "tool_choice": "auto", "parallel_tool_calls": True}
    usage = {"input_tokens": 12, "output_tokens": count, "total_tokens": 12 + count}
    usage |= {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    events: list[tuple[str, dict[str, object]]] = [
        ("response.created", {"response": begun}),
        ("response.in_progress", {"response": begun}),
        ("response.output_item.added", {"output_index": 0, "item": {**item, "status": "in_progress", "content": []}}),
        ("response.content_part.added", {**place, "part": {**part, "text": ""}}),
        *(("response.output_text.delta", {**place, "delta": text, "logprobs": []}) for text in texts),
        ("response.output_text.done", {**place, "text": part["text"], "logprobs": []}),
        ("response.content_part.done", {**place, "part": part}),
        ("response.output_item.done", {"output_index": 0, "item": item}),
        ("response.completed", {"response": {**begun, "status": "completed", "output": [item], "usage": usage}}),
    ]
    return streamed([response_event(number, kind, **fields) for number, (kind, fields) in enumerate(events)])


@cache
def embeddings(count: int) -> bytes:
    vector = [round((i * 7919 % 2000 - 1000) / 12345.678, 9) for i in range(DIMENSIONS)]
    data = [{"object": "embedding", "index": i, "embedding": vector} for i in range(count)]
    return plain(json.dumps({"object": "list", "model": "bench", "data": data, "usage": USAGE}).encode())


@cache
def embeddings_base64(count: int) -> bytes:
    import base64
    from array import array

    vector = array("f", [(i * 7919 % 2000 - 1000) / 12345.678 for i in range(DIMENSIONS)])
    text = base64.b64encode(vector.tobytes()).decode()
    data = [{"object": "embedding", "index": i, "embedding": text} for i in range(count)]
    return plain(json.dumps({"object": "list", "model": "bench", "data": data, "usage": USAGE}).encode())


def answer(path: bytes, body: bytes) -> bytes:
    if path.endswith(b"/embeddings"):
        count = body.count(b'"bench input')
        return embeddings_base64(count) if b'"base64"' in body else embeddings(count)
    if b'"stream": true' in body or b'"stream":true' in body:
        asked = CHUNKS.search(body)
        return (response_stream if path.endswith(b"/responses") else stream)(int(asked[1]) if asked else 200)
    return completion()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(length[1])) if length else b""
            writer.write(answer(head.split(b" ", 2)[1], body))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()  # the client is done with the connection


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**24)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
