"""Audio transcription, image edits, videos, decisions."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from parity import answers as a
from parity.answers import some
from parity.endpoints.common import (
    NO_MODEL,
    PNG,
    WAV,
    called,
    given,
    merged,
    plain_common,
)

from support.recording import Response

transcription = called(
    "audio transcription",
    ("transcription", "atranscription"),
    merged(
        some(
            4,
            language=st.just("en"),
            prompt=st.just("spoken"),
            temperature=st.sampled_from([0, 0.2]),
            response_format=st.sampled_from(["json", "text", "verbose_json", "srt", "vtt"]),
            timestamp_granularities=st.sampled_from([["word"], ["segment", "word"]]),
            extra_body=st.just({"top_k": 1}),
            seed=st.just(3),
        ),
        given(file=st.just(WAV)),
    ),
    lambda params: a.answers(
        st.builds(
            a.good,
            st.sampled_from(
                [
                    {"text": "hello"},
                    {"text": "hi", "usage": {"type": "duration", "seconds": 1}},
                    {"text": "hi", "language": "en", "duration": 0.1, "segments": [{"id": 0, "start": 0, "end": 1,
                                                                                    "text": "hi"}], "words": None},
                ]
            ),
            a.HEADERS,
        )
        | st.sampled_from([Response(body="hello", headers={"content-type": "text/plain"})])
    ),
    router=("atranscription",),
)  # fmt: skip

image_edit = called(
    "image edit",
    ("image_edit", "aimage_edit"),
    merged(
        some(
            4,
            n=st.just(1),
            size=st.just("256x256"),
            response_format=st.sampled_from(["b64_json", "url"]),
            background=st.just("auto"),
            mask=st.just(PNG),
            quality=st.just("high"),
            seed=st.just(1),
            extra_body=st.just({"steps": 4}),
        ),
        given(image=st.sampled_from([PNG, [PNG, PNG]]), prompt=st.just("bluer")),
    ),
    lambda params: a.bodies(
        st.sampled_from(
            [
                {"created": 1_700_000_000, "data": [{"b64_json": "AA=="}]},
                {"created": 1_700_000_000, "data": [{"url": "http://x/y.png"}], "usage": {
                    "input_tokens": 1, "output_tokens": 2, "total_tokens": 3,
                    "input_tokens_details": {"text_tokens": 1, "image_tokens": 0}}},
            ]
        )
    ),
    router=("aimage_edit",),
    shared=some(2, timeout=st.just(20), extra_headers=st.just({"x-a": "1"}), user=st.just("u")),
)  # fmt: skip

VIDEO = {"id": "video_1", "object": "video", "created_at": 1_700_000_000, "status": "queued", "model": "m",
         "progress": 0, "seconds": "4", "size": "720x1280"}  # fmt: skip

video = called(
    "video",
    ("video_generation", "avideo_generation"),
    merged(
        some(
            4,
            seconds=st.just("4"),
            size=st.just("720x1280"),
            num_frames=st.just(8),
            fps=st.just(4),
            seed=st.just(1),
            negative_prompt=st.just("rain"),
            generate_sound=st.booleans(),
            lora=st.just({"name": "l"}),
            extra_body=st.just({"guidance_scale": 4.5}),
            input_reference=st.just(PNG),
            image_reference=st.just({"image_url": "data:image/png;base64,AA=="}),
        ),
        given(prompt=st.just("a cat")),
    ),
    lambda params: a.bodies(st.sampled_from([VIDEO, {**VIDEO, "status": "failed", "error": {"message": "no"}}])),
    router=("avideo_generation",),
    shared=plain_common,
)

stored_video = called(
    "stored video",
    ("video_status", "avideo_status", "video_content", "avideo_content", "video_list", "avideo_list"),
    given(video_id=st.just("video_1")),
    lambda params: (
        a.bodies(st.just(VIDEO)) | st.just((Response(body=b"\0\1mp4", headers={"content-type": "video/mp4"}),))
    ),
    models=NO_MODEL,
    shared=plain_common,
).map(
    lambda case: (
        case
        if "list" not in case.call
        else type(case)(**{**vars(case), "params": {k: v for k, v in case.params.items() if k != "video_id"}})
    )
)

QUESTIONS = [
    {"type": "predicate", "instructions": "Is it good?"},
    {"type": "choice", "name": "c", "instructions": "Which?", "choices": [{"value": "a"}, {"value": "b"}]},
    {"type": "score", "instructions": "How much?", "levels": [{"label": "low"}, {"label": "high"}]},
]
DECISION_ANSWERS = {
    "predicate": {"type": "noul", "noul": 0.25},
    "choice": {"type": "choice", "choice": "a", "confidence": 0.5, "probabilities": {"a": 0.75, "b": 0.25}},
    "score": {"type": "score", "score": 0.5, "confidence": 1.0, "legend": {"0": "low"}, "probabilities": {"1": 0.5}},
}
DECISION_INPUTS: list[Any] = [
    "text",
    "another text",
    [{"role": "user", "content": [{"type": "input_text", "text": "look"}]}],
    [{"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,AA=="}]}],
]


def decision_bodies(params: dict[str, Any]) -> SearchStrategy[dict[str, Any]]:
    """Answers to the questions asked, keyed as the server is asked them: by number, or by name where all have one."""
    asked = params["questions"]
    named = all("name" in question for question in asked) and len(asked) == 1
    keys = [question["name"] if named else str(number) for number, question in enumerate(asked)]
    answered = {key: DECISION_ANSWERS[question["type"]] for key, question in zip(keys, asked, strict=True)}
    usage = some(usage=st.just({"input_tokens": 3, "output_tokens": 1}), id=st.just("d1"))
    return st.builds(lambda answers, more: {"model": "m", "answers": answers} | more,
                     st.sampled_from([answered, answered, {}, {"0": None}]), usage)  # fmt: skip


decisions = called(
    "decisions",
    ("decisions", "adecisions"),
    merged(
        given(
            input=st.sampled_from(DECISION_INPUTS),
            questions=st.lists(st.sampled_from(QUESTIONS), min_size=1, max_size=3, unique_by=repr),
        ),
        st.sampled_from([{}, {}, {}, {"safety_identifier": "u"}, {"safety_identifier": "u", "drop_params": True}]),
    ),
    lambda params: a.bodies(decision_bodies(params)),
    router=("adecisions",),
    shared=plain_common,
)
