"""Every endpoint of the differential suite."""

from parity.endpoints.chat import aimed_chat, chat, text_completion
from parity.endpoints.common import Endpoint
from parity.endpoints.media import decisions, image_edit, stored_video, transcription, video
from parity.endpoints.responses import (
    anthropic,
    compact_responses,
    deleted_responses,
    response_items,
    responses,
    stored_responses,
)
from parity.endpoints.server import (
    batch_creation,
    batch_listing,
    file_creation,
    file_listing,
    health,
    model_info,
    model_listing,
    passthrough,
    stored_batches,
    stored_files,
    timeouts,
)
from parity.endpoints.vectors import embedding, rerank

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("chat", chat, share=30),
    Endpoint("chat, aimed at templates", aimed_chat, share=10),
    Endpoint("text completion", text_completion, share=10),
    Endpoint("embeddings", embedding, share=10),
    Endpoint("rerank", rerank, share=8),
    Endpoint("audio transcription", transcription, share=5),
    Endpoint("Responses API", responses, share=10),
    Endpoint("Responses API: stored", stored_responses, share=2),
    Endpoint("Responses API: delete", deleted_responses, share=1),
    Endpoint("Responses API: input items", response_items, share=2),
    Endpoint("Responses API: compact", compact_responses, share=1),
    Endpoint("Anthropic messages", anthropic, share=8),
    Endpoint("image edit", image_edit, share=4),
    Endpoint("video", video, share=4),
    Endpoint("stored video", stored_video, share=2),
    Endpoint("decisions", decisions, share=3),
    Endpoint("files: create", file_creation, share=2),
    Endpoint("files: stored", stored_files, share=3),
    Endpoint("files: list", file_listing, share=1),
    Endpoint("batches: create", batch_creation, share=2),
    Endpoint("batches: stored", stored_batches, share=2),
    Endpoint("batches: list", batch_listing, share=1),
    Endpoint("model listing", model_listing, share=1),
    Endpoint("model info discovery", model_info, share=2),
    Endpoint("timeouts", timeouts, share=1),
    Endpoint("pass-through", passthrough, share=4),
    Endpoint("health", health, share=4),
)
"""Every endpoint of the suite with its share of the cases."""
