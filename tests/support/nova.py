"""A server of every endpoint that the documents call: it answers what a Lexiq Nova server would, only without a model.

Strict where a document could be wrong: another path, a missing key or a model name with a provider's prefix is an
error, as it is on a real server.
"""

import json
from typing import Any

from support.recording import Request, Response, streamed
from support.vllm_answers import response_of

HELLO = "Paris."
THOUGHT = "France is a country; its capital is asked for."
ADAPTER = "sql-adapter"
METRICS = "# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running 0.0\n"
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def _chat(body: dict[str, Any]) -> Response:
    head = {"id": "chatcmpl-1", "created": 1_700_000_000, "model": body["model"]}
    if body.get("stream"):
        chunks = [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]
        if "reasoning_effort" in body:
            chunks += [{"index": 0, "delta": {"reasoning": THOUGHT}, "finish_reason": None}]
        chunks += [{"index": 0, "delta": {"content": piece}, "finish_reason": None} for piece in ("Par", "is.")]
        chunks += [{"index": 0, "delta": {}, "finish_reason": "stop"}]
        return streamed(*({**head, "object": "chat.completion.chunk", "choices": [chunk]} for chunk in chunks))
    message: dict[str, Any] = {"role": "assistant", "content": HELLO}
    if body.get("tool_choice") == "required":
        call = {"name": body["tools"][0]["function"]["name"], "arguments": "{}"}
        message = {**message, "tool_calls": [{"id": "call_1", "type": "function", "function": call}]}
    if "structured_outputs" in body:
        message["content"] = body["structured_outputs"].get("choice", [HELLO])[0]
    if "response_format" in body:
        message["content"] = json.dumps({"city": HELLO})
    if "reasoning_effort" in body:
        message["reasoning"] = THOUGHT
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    more: dict[str, Any] = {}
    if "prompt_logprobs" in body:
        more["prompt_logprobs"] = [None, {"9690": {"logprob": -0.5, "rank": 1, "decoded_token": "system"}}]
    if body.get("return_token_ids"):
        choice["token_ids"], more["prompt_token_ids"] = [42], [1, 2]
    return Response(json={**head, "object": "chat.completion", "choices": [choice], "usage": USAGE, **more})


def _text(body: dict[str, Any]) -> Response:
    choice = {"index": 0, "text": HELLO, "finish_reason": "stop", "logprobs": None}
    head = {"id": "cmpl-1", "object": "text_completion", "created": 1_700_000_000, "model": body["model"]}
    return Response(json={**head, "choices": [choice], "usage": USAGE})


def _responses(body: dict[str, Any]) -> Response:
    part = {"type": "output_text", "text": HELLO, "annotations": []}
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}
    response = {"id": "resp_1", "object": "response", "created_at": 1_700_000_000, "model": body["model"]}
    response |= {"status": "completed", "output": [message], "parallel_tool_calls": True, "tool_choice": "auto"}
    response |= {"tools": [], "temperature": 1.0, "top_p": 1.0}
    response |= {"usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}}
    items = body["input"] if isinstance(body["input"], list) else []
    if any("role" not in item for item in items):
        return Response(status=400, json={"error": {"message": "an input message has no role"}})
    return response_of(response, HELLO, bool(body.get("stream")))


def _embeddings(body: dict[str, Any]) -> Response:
    given = body["input"]
    count = len(given) if not isinstance(given[0], int) else 1
    vector: list[Any] = [0.5] * body.get("dimensions", 4)
    vector = [vector, vector] if body.get("return_multivector") else vector
    data = [{"object": "embedding", "index": index, "embedding": vector} for index in range(count)]
    usage = {"prompt_tokens": 3, "total_tokens": 3, "completion_tokens": 0}
    return Response(json={"object": "list", "model": body["model"], "data": data, "usage": usage})


def _rerank(body: dict[str, Any]) -> Response:
    results = [
        {"index": index, "document": {"text": text}, "relevance_score": 1 / (index + 1)}
        for index, text in enumerate(body["documents"])
    ]
    results = results[: body.get("top_n")]
    return Response(json={"id": "rerank-1", "model": body["model"], "usage": {"total_tokens": 9}, "results": results})


def _score(body: dict[str, Any]) -> Response:
    return Response(json={"object": "list", "model": body["model"], "data": [{"index": 0, "score": 0.9}]})


def _classify(body: dict[str, Any]) -> Response:
    data = [{"index": i, "label": "POSITIVE", "probs": [0.1, 0.9], "num_classes": 2} for i in range(len(body["input"]))]
    return Response(json={"object": "list", "model": body["model"], "data": data})


def _pooling(body: dict[str, Any]) -> Response:
    data = [{"index": 0, "object": "pooling", "data": [0.5] * 4}]
    return Response(json={"object": "list", "model": body["model"], "data": data})


def _tokenize(body: dict[str, Any]) -> Response:
    return Response(json={"count": 1, "max_model_len": 2048, "tokens": [19556]})


ROUTES = {
    "/v1/chat/completions": _chat,
    "/v1/completions": _text,
    "/v1/responses": _responses,
    "/v1/embeddings": _embeddings,
    "/v1/rerank": _rerank,
    "/score": _score,
    "/classify": _classify,
    "/pooling": _pooling,
    "/tokenize": _tokenize,
}
PREFIXES = ("remodlai/", "lexiq_nova/", "hosted_vllm/")


def answer(request: Request, key: str | None) -> Response:
    """What the server answers.

    Args:
        request: as it came.
        key: the key it asks for; None if it asks for none.
    """
    if key is not None and request.header("authorization") != f"Bearer {key}":
        return Response(status=401, json={"error": {"message": "Unauthorized"}})
    if request.path == "/v1/models":
        served = [{"id": name, "object": "model"} for name in ("llama-3.1-70b-instruct", ADAPTER)]
        return Response(json={"object": "list", "data": served})
    if request.path == "/metrics":
        return Response(body=METRICS, headers={"content-type": "text/plain"})
    if request.path == "/v1/images/edits":
        return Response(json={"created": 1_700_000_000, "data": [{"b64_json": "iVBORw0KGgo="}]})
    if request.path == "/v1/audio/transcriptions":
        fields = {part.name: part for part in request.parts()}
        if not fields["file"].content.startswith(b"RIFF"):
            return Response(status=400, json={"error": {"message": "no WAV file"}})
        return Response(json={"text": "Good morning."})
    route = ROUTES.get(request.path)
    if route is None:
        return Response(status=404, json={"error": {"message": f"no route {request.path}"}})
    body = json.loads(request.body)
    if body["model"].startswith(PREFIXES):
        return Response(status=404, json={"error": {"message": f"The model `{body['model']}` does not exist."}})
    return route(body)
