"""Answers as vLLM writes them: chat and text completions and responses, whole and streamed, and its errors."""

from typing import Any

from support.recording import Response, streamed

USER = [{"role": "user", "content": "Hello"}]
USAGE = {"prompt_tokens": 10, "completion_tokens": 8, "total_tokens": 18}


def chat(finish: str | None = "stop", **message: Any) -> dict[str, Any]:
    """A chat completion."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi", **message}, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": USAGE}


def chunk(delta: dict[str, Any], finish: str | None = None, index: int = 0) -> dict[str, Any]:
    """A chunk of a streamed chat completion."""
    choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def text(value: str, finish: str | None = None, index: int = 0) -> dict[str, Any]:
    """A text completion, or a chunk of a streamed one."""
    choice = {"index": index, "text": value, "logprobs": None, "finish_reason": finish, "stop_reason": None}
    return {"id": "t", "object": "text_completion", "created": 1, "model": "m", "choices": [choice], "usage": USAGE}


def response_of(answer: dict[str, Any], said: str, stream: bool) -> Response:
    """An answer of the Responses API: as it is, or by events that say its text at once."""
    if not stream:
        return Response(json=answer)
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    return streamed(
        {"type": "response.created", "response": {**answer, "status": "in_progress", "output": []}},
        {"type": "response.output_text.delta", "delta": said, **place},
        {"type": "response.completed", "response": answer},
    )


def error(message: str, status: int = 400) -> dict[str, Any]:
    """What vLLM says in place of an answer."""
    return {"error": {"message": message, "type": "BadRequestError", "param": None, "code": status}}


def refusal(message: str, status: int = 400) -> Response:
    """An answer that is an error."""
    return Response(status=status, json=error(message, status))
