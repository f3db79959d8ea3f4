"""
Values of the twins' JSON objects that are not a renamed copy of upstream's: by file and provider, then dotted path.
"""

# What docs/providers/remodlai.md lists. Upstream's table leaves transcription out, and since 1.109 all but files.
_SUPPORTED = (
    "chat_completions",
    "text_completion",
    "messages",
    "responses",
    "embeddings",
    "rerank",
    "audio_transcriptions",
)
_ENDPOINTS: dict[str, dict[str, object]] = {
    provider: {f"{provider}.endpoints.{endpoint}": True for endpoint in _SUPPORTED}
    for provider in ("remodlai", "lexiq_nova")
}
JSON_VALUES: dict[str, dict[str, dict[str, object]]] = {
    "provider_endpoints_support.json": _ENDPOINTS,
    "litellm/provider_endpoints_support_backup.json": _ENDPOINTS,
    "litellm/proxy/public_endpoints/provider_create_fields.json": {
        "remodlai": {
            "credential_fields.0.placeholder": "https://api.lexiq-nova.com",
            "credential_fields.0.required": False,
            "credential_fields.0.tooltip": "Your Lexiq Nova server; the bare origin is enough, /v1 is added. "
            "Left empty, REMODLAI_API_BASE is used, or else a vLLM on the proxy's machine.",
            "credential_fields.1.tooltip": "Sent to the server as a bearer token. "
            "Left empty, REMODLAI_API_KEY is used.",
            "default_model_placeholder": "llama-3.1-70b-instruct",
        },
        "lexiq_nova": {
            "credential_fields.0.placeholder": "http://localhost:8000",
            "credential_fields.0.required": False,
            "credential_fields.0.tooltip": "A vLLM server that already runs. Left empty, LEXIQ_NOVA_API_BASE is used, "
            "or else the proxy starts vLLM on its own machine at the first call.",
            "credential_fields.1.label": "API Key",
            "credential_fields.1.tooltip": "Only for a server that asks for one. "
            "Left empty, LEXIQ_NOVA_API_KEY is used.",
            "default_model_placeholder": "facebook/opt-125m",
        },
    },
}
