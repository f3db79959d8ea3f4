"""What a stream keeps for its end: the whole text, in little more memory than the text takes."""

import tracemalloc

import pytest

import litellm
from litellm.llms.remodlai.chat import kept_chunks
from litellm.llms.remodlai.chat.kept_chunks import JOINED, KEPT_APART, KeptChunks
from support.recording import RecordingServer, streamed
from support.vllm_answers import USER, chunk


@pytest.mark.parametrize("looks", [[], [1, 2, 3], [JOINED - 1, JOINED, JOINED + 1], [3 * JOINED]], ids=str)
def test_a_long_stream_is_kept_whole(looks: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    # A Router that was made in this process leaves functions here, which might want to see each chunk.
    monkeypatch.setattr(litellm, "success_callback", [])
    monkeypatch.setattr(litellm, "_async_success_callback", [])
    texts = [f"{number} " for number in range(4 * JOINED)]
    chunks = [chunk({"role": "assistant", "content": ""}), *(chunk({"content": text}) for text in texts)]
    with RecordingServer(lambda request: streamed(*chunks, chunk({}, "stop"))) as server:
        stream = litellm.completion("remodlai/m", USER, base_url=f"{server.url}/v1", api_key="key", stream=True)
        read = ""
        for count, one in enumerate(stream):
            read += one.choices[0].delta.content or ""
            if count in looks:
                assert "".join(kept.choices[0].delta.content or "" for kept in stream.chunks) == read
                assert stream.response_uptil_now == read
    kept = [one.choices[0].delta.content or "" for one in stream.chunks]
    assert read == "".join(kept) == "".join(texts)
    assert [text for text in kept if text][-KEPT_APART:] == texts[-KEPT_APART:]


def test_texts_of_a_long_stream_take_little_more_than_they_hold() -> None:
    kept, template = KeptChunks([]), object()  # looked at when the list is read
    tracemalloc.start()
    for number in range(10_000):
        kept.add(template, f"{number:04}", 0.0)
    # Other threads, of tests before, allocate too.
    files = [tracemalloc.Filter(True, file) for file in (__file__, kept_chunks.__file__)]
    traces = tracemalloc.take_snapshot().filter_traces(files).traces
    tracemalloc.stop()
    assert sum(trace.size for trace in traces) < 2 * 4 * 10_000
