"""
Streams of chat chunks that cost little: upstream's `CustomStreamWrapper`, doing per chunk only what that chunk needs.

Nearly every chunk of a stream differs from an earlier one in a single string: the next piece of content, of reasoning
or of a tool call's arguments. The first chunk of each shape goes through upstream's code; what came out is kept as a
template, and later chunks of that shape are copies of it around another string. Every other line (the first chunk, a
finish reason, usage, logprobs, an error, a broken line, the end) is upstream's to handle, so it is handled alike.
What the end of the stream needs is kept joined, not chunk by chunk.
"""

import inspect
import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import httpx

import litellm
from litellm import constants, verbose_logger
from litellm.integrations.custom_logger import CustomLogger
from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper
from litellm.llms.base_llm.base_model_iterator import BaseModelResponseIterator
from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler, HTTPHandler
from litellm.llms.custom_httpx.llm_http_handler import BaseLLMHTTPHandler
from litellm.types.llms.openai import AllMessageValues
from litellm.types.utils import ModelResponseStream

from .chunk_template import ChunkTemplate
from .kept_chunks import KeptChunks
from .response_lines import ResponseLines, finish_ended

if TYPE_CHECKING:
    from litellm.litellm_core_utils.litellm_logging import Logging

# A stream that alternates between more shapes than this (`n` choices, say) is upstream's from chunk to chunk.
MAX_TEMPLATES: Final = 8
# Chunks may never be alike but for one string (`created` counts up, usage in each): stop looking after this many.
MAX_MISSES: Final = 32
# Hooks of a custom logger that upstream calls for every chunk of a synchronous stream; as inherited they do nothing.
CHUNK_HOOKS: Final = ("log_stream_event", "async_log_stream_event", "logging_hook", "async_logging_hook")


class TemplateStream(CustomStreamWrapper):
    """Upstream's stream of a chat completion, with templates for the chunks that are alike."""

    def __init__(
        self,
        completion_stream: BaseModelResponseIterator,
        model: str,
        logging_obj: "Logging",
        custom_llm_provider: str,
        _response_headers: dict[str, str] | httpx.Headers,
    ) -> None:
        super().__init__(
            completion_stream=completion_stream,
            model=model,
            logging_obj=logging_obj,
            custom_llm_provider=custom_llm_provider,
            _response_headers=_response_headers,
        )
        lines, given = completion_stream.streaming_response, completion_stream.http_response
        # That of `Response.iter_lines()`; its connection is closed here only.
        if is_generator := inspect.isgenerator(lines):
            completion_stream.http_response = None
        response: Final = inspect.getgeneratorlocals(lines).get("self", given) if is_generator else given
        self._lines = ResponseLines(lines, response)
        self._parser = completion_stream
        completion_stream.streaming_response = completion_stream.response_iterator = self._lines
        self._observed = not self._lines.is_async and observes_chunks(logging_obj)
        self._learning = not self._observed and not needs_upstream(self)
        self._templates: list[ChunkTemplate] = []
        self._misses = 0
        self._last: str | None = None
        self._last_but_one: str | None = None
        self._over = False

    @property
    def chunks(self) -> list[ModelResponseStream]:
        """What the end of the stream, or a look at its part until now, is made of; upstream keeps each chunk here."""
        self.response_uptil_now += self._chunks.take_content()
        return self._chunks

    @chunks.setter
    def chunks(self, chunks: list[ModelResponseStream]) -> None:
        self._chunks = KeptChunks(chunks)

    def __next__(self) -> ModelResponseStream:
        if self._over:
            raise StopIteration
        if self._templates and (copied := self._copy(self._lines.peek())) is not None:
            return copied
        before: Final = self._before_upstream()
        try:
            chunk: Final = super().__next__()
        except Exception:  # the end, or an error: its traceback keeps the stream, which must not keep the connection
            self._end()
            raise
        return self._learn(chunk, before)

    async def __anext__(self) -> ModelResponseStream:
        if self._over:
            raise StopAsyncIteration
        if self._templates and (copied := self._copy(await self._lines.apeek())) is not None:
            return copied
        before: Final = self._before_upstream()
        try:
            chunk: Final = await super().__anext__()
        except StopAsyncIteration:  # closed now, a connection whose last bytes are on their way would not be used again
            raise
        except Exception:
            self._end()
            raise
        return self._learn(chunk, before)

    def _copy(self, line: str) -> ModelResponseStream | None:
        """Returns the chunk of `line` where a template makes it, else None."""
        for template in self._templates:
            if (text := template.text(line)) is not None:
                break
        else:
            return None
        now: Final = time.time()
        limit: Final = constants.LITELLM_MAX_STREAMING_DURATION_SECONDS
        if limit is not None and now - self._stream_created_time > limit:
            return None
        if self._last is None or len(self._last) <= 2 or self._last != self._last_but_one:
            self._repeated_messages_count = 1
        elif self._repeated_messages_count + 1 >= litellm.REPEATED_STREAMING_CHUNK_LIMIT:
            return None
        else:
            self._repeated_messages_count += 1
        self._chunks.add(template, text, now)
        self._last_but_one, self._last = self._last, text if template.is_content else None
        self._misses = 0
        self._lines.take()
        return template.fill(text, now)

    def _before_upstream(self) -> tuple[int, int, bool, tuple[object, ...]]:
        self._leave_no_cycle()
        return self._lines.taken, len(self.chunks), self.sent_first_chunk, self._carried()

    def _leave_no_cycle(self) -> None:
        # Upstream logs a stream as the answer to its own request: a cycle, which would keep a dropped stream open.
        if self.logging_obj.model_call_details.get("original_response") is self:
            self.logging_obj.model_call_details["original_response"] = repr(self)

    def _carried(self) -> tuple[object, ...]:
        """What upstream carries from one chunk into the next ones."""
        return self.response_id, self._provider_response_model, self.system_fingerprint, self.created

    def _learn(
        self, chunk: ModelResponseStream, before: tuple[int, int, bool, tuple[object, ...]]
    ) -> ModelResponseStream:
        """Keeps a template of what upstream returned, where the next chunks can be copies of it."""
        if not self._learning:
            return chunk
        taken, kept, sent_first_chunk, carried = before
        if self.received_finish_reason is not None or self.sent_last_chunk or self._misses > MAX_MISSES:
            self._learning = False
            self._templates = []
            return chunk
        if carried != self._carried():
            self._templates = []
        recent: Final = self.chunks[-2:]
        if not all(isinstance(one, ModelResponseStream) and one.choices for one in recent):
            self._templates = []
            return chunk
        contents: Final = [None, None, *(one.choices[0].delta.content for one in recent)]
        self._last_but_one, self._last = contents[-2:]
        one_line_one_chunk: Final = self._lines.taken == taken + 1 and len(self.chunks) == kept + 1
        if sent_first_chunk and one_line_one_chunk and self.chunks[-1] is chunk:
            self._misses += 1
            if (template := ChunkTemplate.of(self._lines.last, chunk, self._parsed)) is not None:
                self._templates = [template, *self._templates[: MAX_TEMPLATES - 1]]
        return chunk

    def _parsed(self, line: str) -> object:
        event: Final = self._parser.string_to_dict_parser(line)
        return None if event is None else self._parser.chunk_parser(event)

    def run_success_logging_and_cache_storage(self, processed_chunk: ModelResponseStream, cache_hit: bool) -> None:
        """Upstream's success event of one chunk of a synchronous stream, where anybody is there to receive it."""
        if self._observed:
            super().run_success_logging_and_cache_storage(processed_chunk, cache_hit)

    def _end(self) -> None:
        self._over = True
        self._templates = []
        self._learning = False
        self._lines.close()

    def close(self) -> None:
        """Ends the stream: the server stops generating. The connection of a whole answer is used again."""
        self._end()
        # Upstream's streams of 1.108 and later can be closed.
        if (close := getattr(super(), "close", None)) is not None:
            close()

    async def aclose(self) -> None:
        """As `close`; returns when the connection is closed."""
        self._over = True
        await super().aclose()
        self._end()


def observes_chunks(logging_obj: "Logging") -> bool:
    """
    Says whether a callback of the call receives single chunks, not only the whole answer.

    Args:
        logging_obj: the call's logging object.

    Returns:
        True also for a callback of which that cannot be told (a function, an integration known by name).
    """
    if litellm.disable_streaming_logging:
        return False
    callbacks: Final = {
        *logging_obj.get_combined_callback_list(logging_obj.dynamic_success_callbacks, litellm.success_callback),
        *logging_obj.get_combined_callback_list(
            logging_obj.dynamic_async_success_callbacks, litellm._async_success_callback
        ),
    }
    return not all(
        _is_of_router(callback)
        or isinstance(callback, CustomLogger)
        and all(getattr(type(callback), hook) is getattr(CustomLogger, hook) for hook in CHUNK_HOOKS)
        for callback in callbacks
    )


def _is_of_router(callback: object) -> bool:
    """Says whether a callback is a function by which a Router hears of its calls: it counts them, not their chunks."""
    return inspect.isroutine(callback) and str(callback.__module__).startswith("litellm.router")


def needs_upstream(stream: CustomStreamWrapper) -> bool:
    """Says whether something that the call asked for looks at, or changes, each chunk of `stream` on its way."""
    return bool(
        litellm.post_call_rules
        or stream.merge_reasoning_content_in_choices
        or stream.custom_llm_provider in litellm._custom_providers
        or litellm.set_verbose
        or verbose_logger.isEnabledFor(logging.DEBUG)
    )


class TemplateStreams:
    """Mixin for a chat config of an OpenAI-compatible server: its streams are `TemplateStream`s."""

    @property
    def has_custom_stream_wrapper(self) -> bool:
        return True

    def get_sync_custom_stream_wrapper(
        self,
        model: str,
        custom_llm_provider: str,
        logging_obj: "Logging",
        api_base: str,
        headers: dict[str, str],
        data: dict[str, Any],
        messages: list[AllMessageValues],
        client: HTTPHandler | AsyncHTTPHandler | None = None,
        json_mode: bool | None = None,
        signed_json_body: bytes | None = None,
        *,
        litellm_params: Mapping[str, object],
        timeout: float | httpx.Timeout | None = None,
    ) -> CustomStreamWrapper:
        """
        Sends the request as upstream does and wraps its answer.

        Args:
            model: name as the server knows it.
            custom_llm_provider: name of the provider.
            logging_obj: the call's logging object.
            api_base: URL of the endpoint.
            headers: of the request.
            data: body of the request.
            messages: of the chat.
            client: sends it; by default one of LiteLLM's.
            json_mode: whether the answer is a tool call that stands for JSON.
            signed_json_body: the body where it was signed.
            litellm_params: of the call.
            timeout: of the request, in seconds.

        Returns:
            The stream; upstream's own where the answer is not one (`fake_stream`).

        Raises:
            BaseLLMException: the server refused the request.
        """
        finish_ended()
        stream, answered = BaseLLMHTTPHandler().make_sync_call(
            **self._request(logging_obj, data, client, litellm_params, timeout),
            original_data=data,
            api_base=api_base,
            headers=headers,
            json_mode=bool(json_mode),
            messages=messages,
            model=model,
            signed_json_body=signed_json_body,
        )
        return _wrapped(stream, answered, model, logging_obj, custom_llm_provider)

    async def get_async_custom_stream_wrapper(
        self,
        model: str,
        custom_llm_provider: str,
        logging_obj: "Logging",
        api_base: str,
        headers: dict[str, str],
        data: dict[str, Any],
        messages: list[AllMessageValues],
        client: AsyncHTTPHandler | None = None,
        json_mode: bool | None = None,
        signed_json_body: bytes | None = None,
        *,
        litellm_params: Mapping[str, object],
        timeout: float | httpx.Timeout | None = None,
    ) -> CustomStreamWrapper:
        """As `get_sync_custom_stream_wrapper`."""
        stream, answered = await BaseLLMHTTPHandler().make_async_call_stream_helper(
            **self._request(logging_obj, data, client, litellm_params, timeout),
            api_base=api_base,
            custom_llm_provider=custom_llm_provider,
            headers=headers,
            json_mode=json_mode,
            messages=messages,
            model=model,
            signed_json_body=signed_json_body,
        )
        return _wrapped(stream, answered, model, logging_obj, custom_llm_provider)

    def _request(
        self,
        logging_obj: "Logging",
        data: dict[str, Any],
        client: HTTPHandler | AsyncHTTPHandler | None,
        litellm_params: Mapping[str, object],
        timeout: float | httpx.Timeout | None,
    ) -> dict[str, Any]:
        """What upstream's hooks and its functions that send have of different types."""
        return {
            "provider_config": self,
            "logging_obj": logging_obj,
            "optional_params": logging_obj.optional_params,
            "data": data,
            # Upstream leaves `stream` out of the body where the call asked for a fake one.
            "fake_stream": "stream" not in data,
            "client": client,
            "litellm_params": litellm_params,
            "timeout": timeout,
        }


def _wrapped(
    stream: object, headers: dict[str, str] | httpx.Headers, model: str, logging_obj: "Logging", provider: str
) -> CustomStreamWrapper:
    wrapper: Final[Callable[..., CustomStreamWrapper]] = (
        TemplateStream if isinstance(stream, BaseModelResponseIterator) else CustomStreamWrapper
    )
    return wrapper(
        completion_stream=stream,
        model=model,
        logging_obj=logging_obj,
        custom_llm_provider=provider,
        _response_headers=headers,
    )
