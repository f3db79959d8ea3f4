"""
What the twin rule does not do: explicit edits of upstream, values of the twins' own, and mentions that are left alone.
Each with its reason. The form of an edit is in fork.edit.
"""

from collections.abc import Callable

from fork.proxy_edits import PROXY_EDITS
from fork.shared_edits import SHARED_EDITS
from fork.text_edit import Edit

_NEVER_ELSEWHERE = "without a base or key of its own, this function would use OpenAI's"
_OWN_SERVER_IN_KWARGS = """\
if {"remodlai", "lexiq_nova"} & {custom_llm_provider, str(MODEL).split("/", 1)[0]}:
    from litellm.llms.remodlai.common_utils import own_server_in

    custom_llm_provider = own_server_in(kwargs, custom_llm_provider, MODEL)
"""
_OWN_SERVER = """\
if (custom_llm_provider or str(model).split("/", 1)[0]) in ("remodlai", "lexiq_nova"):
    from litellm.llms.remodlai.common_utils import own_server

    api_base, api_key = own_server(custom_llm_provider or str(model), api_base, api_key)
"""
_OWN_SERVER_OF_MODEL = """\
if str(model).split("/", 1)[0] in ("remodlai", "lexiq_nova"):
    from litellm.llms.remodlai.common_utils import own_server, require_server

    kwargs["api_base"], api_key = own_server(str(model), kwargs.get("api_base"), api_key)
    require_server(str(model).split("/", 1)[0], kwargs["api_base"], "moderations")
"""
_TRANSCRIPTION_CONFIGS = ("HostedLexiqNovaAudioTranscriptionConfig", "LexiqNovaAudioTranscriptionConfig")
_KWARGS_FUNCTIONS = {
    "litellm/files/main.py": ("create_file", "file_retrieve", "file_delete", "file_list", "file_content"),
    "litellm/batches/main.py": ("create_batch", "retrieve_batch", "list_batches", "cancel_batch"),
}
_ROUTER = ("litellm/router.py", "litellm/router_python_core.py")
_OF_ONE_TASK = "deployments of one model may each be of one task; here the sync and the async selection meet"
_NAMING_MODEL = ("file_delete", "file_content", "cancel_batch")  # those with a `model` parameter of their own
_HANDLER = "litellm/llms/custom_httpx/http_handler.py"
_STATUS_OF_PASSTHROUGH = "the Router reads an error's status there: else it sends a bad request three times"
_LOCAL_ENGINE = "the local engine is reached by a transport of its own, whatever the endpoint"

EDITS = (
    Edit(
        "keys",
        "litellm/__init__.py",
        "openai_like_key",
        "after",
        "remodlai_key: Optional[str] = None\nlexiq_nova_key: Optional[str] = None",
        "hosted_vllm has no key variable to twin",
    ),
    *(
        Edit(
            "transcription-names",
            "litellm/_lazy_imports_registry.py",
            symbol,
            "element",
            "\n".join(line.format(name) for name in _TRANSCRIPTION_CONFIGS),
            "hosted_vllm's transcription class has no name on the package to twin",
        )
        for symbol, line in {
            "LLM_CONFIG_NAMES": '"{0}",',
            "_LLM_CONFIGS_IMPORT_MAP": '"{0}": (".llms.remodlai.transcriptions.transformation", "{0}"),',
        }.items()
    ),
    *(
        Edit("create-response", "litellm/responses/dispatch.py", symbol, "after", code, "the REST reference's names")
        for symbol, code in {
            "__all__": '__all__ += ("acreate_response", "create_response")',
            "aresponses": "\n\ncreate_response = responses\nacreate_response = aresponses",
        }.items()
    ),
    *(
        Edit(
            "own-server",
            path,
            function,
            "start",
            _OWN_SERVER_IN_KWARGS.replace("MODEL", "model" if function in _NAMING_MODEL else 'kwargs.get("model")'),
            _NEVER_ELSEWHERE,
        )
        for path, functions in _KWARGS_FUNCTIONS.items()
        for function in functions
    ),
    Edit("own-server", "litellm/main.py", "speech", "start", _OWN_SERVER, _NEVER_ELSEWHERE),
    Edit("own-server", "litellm/images/main.py", "image_generation", "start", _OWN_SERVER, _NEVER_ELSEWHERE),
    Edit("own-server", "litellm/main.py", "amoderation", "start", _OWN_SERVER_OF_MODEL, _NEVER_ELSEWHERE),
    Edit(
        "own-server",
        "litellm/main.py",
        "moderation",
        "start",
        """\
_provider: Final = kwargs.get("custom_llm_provider") or str(model).split("/", 1)[0]
if _provider in ("remodlai", "lexiq_nova"):
    from litellm.llms.remodlai.common_utils import own_server, require_server
    from litellm.llms.remodlai.openai_client import openai_client

    kwargs["api_base"], api_key = own_server(_provider, kwargs.get("api_base"), api_key)
    require_server(_provider, kwargs["api_base"], "moderations")
    timeout, retries = kwargs.get("timeout", litellm.request_timeout), kwargs.get("max_retries", 2)
    client = openai_client(kwargs["api_base"], api_key, timeout, retries, None, is_async=False)
    kwargs.setdefault("client", client)
    model = str(model).removeprefix(f"{_provider}/")
""",
        _NEVER_ELSEWHERE,
    ),
    Edit(
        "own-provider",
        "litellm/fine_tuning/main.py",
        "create_fine_tuning_job",
        "start",
        """\
if model.split("/", 1)[0] in ("remodlai", "lexiq_nova"):
    custom_llm_provider = model.split("/", 1)[0]
""",
        "the default provider would send another provider's model to OpenAI",
    ),
    Edit(
        "local-engine",
        _HANDLER,
        "_environment_proxy_mounts",
        "after",
        """

class _LocalEngineTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    \"\"\"Requests to lexiq-nova:// go to the vLLM of this machine, which is started when it is needed.\"\"\"

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        from litellm.llms.remodlai.completion.handler import TRANSPORT

        return TRANSPORT.handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        from litellm.llms.remodlai.completion.handler import TRANSPORT

        return await TRANSPORT.handle_async_request(request)


LOCAL_ENGINE_MOUNTS: Final = MappingProxyType({"lexiq-nova://": _LocalEngineTransport()})


def _with_local_engine(proxy_mounts):
    def mounts(*args, **kwargs):
        return {**(proxy_mounts(*args, **kwargs) or {}), **LOCAL_ENGINE_MOUNTS}

    return mounts""",
        _LOCAL_ENGINE,
    ),
    *(
        Edit("local-engine", _HANDLER, symbol, "above", "@_with_local_engine", _LOCAL_ENGINE)
        for symbol in ("AsyncHTTPHandler.create_httpx_proxy_mounts", "HTTPHandler._create_sync_proxy_mounts")
    ),
    Edit(
        "local-engine",
        "litellm/llms/openai/common_utils.py",
        "BaseOpenAILLM._get_sync_http_client",
        "argument",
        "mounts=LOCAL_ENGINE_MOUNTS,",
        _LOCAL_ENGINE,
    ),
    Edit(
        "local-engine",
        "litellm/llms/openai/common_utils.py",
        "BaseOpenAILLM._get_sync_http_client",
        "start",
        "from litellm.llms.custom_httpx.http_handler import LOCAL_ENGINE_MOUNTS\n",
        _LOCAL_ENGINE,
    ),
    Edit(
        "local-engine",
        "litellm/llms/openai/completion/handler.py",
        "OpenAITextCompletion.completion",
        "start",
        """\
if client is None and str(api_base).startswith("lexiq-nova://"):
    from litellm.llms.remodlai.completion.handler import openai_client

    client = openai_client(api_base, timeout, is_async=acompletion)
""",
        "text completion makes its client of litellm.client_session, without mounts",
    ),
    Edit(
        "engine-args",
        "litellm/proxy/auth/auth_utils.py",
        "_BANNED_REQUEST_BODY_PARAMS",
        "element",
        '"engine_args",',
        "a proxy's client must not choose how vLLM is started on the proxy's machine",
    ),
    *(
        Edit(
            "own-passthrough",
            "litellm/proxy/pass_through_endpoints/llm_passthrough_endpoints.py",
            f"{provider}_proxy_route",
            "body",
            f"""\
from litellm.llms.remodlai.passthrough.route import relay

return await relay("{provider}", endpoint, request, fastapi_response, user_api_key_dict)""",
            "a path must stay under the base; an error of the server and a client's leaving must reach the other side",
        )
        for provider in ("remodlai", "lexiq_nova")
    ),
    *(
        Edit("own-passthrough", "litellm/passthrough/main.py", symbol, where, code, _STATUS_OF_PASSTHROUGH)
        for symbol, where, code in (
            (
                "base_llm_http_handler",
                "after",
                """

def _with_status_of_error(request_of):
    async def with_status(*args, **kwargs):
        try:
            return await request_of(*args, **kwargs)
        except httpx.HTTPStatusError as error:
            if getattr(kwargs["provider_config"], "provider", None) in ("remodlai", "lexiq_nova"):
                error.status_code = error.response.status_code
            raise

    return with_status

""",
            ),
            ("_async_passthrough_request", "above", "@_with_status_of_error"),
        )
    ),
    Edit(
        "task-routing",
        _ROUTER[0],
        "_ROUTING_KWARGS_ADAPTER",
        "after",
        """

def _of_requested_task(common_checks):
    \"\"\"Of Lexiq Nova's deployments of one model, only those that serve the request's task are candidates.\"\"\"

    def checked(self, *args, request_kwargs=None, **kwargs):
        model, candidates = common_checks(self, *args, request_kwargs=request_kwargs, **kwargs)
        if not isinstance(candidates, list) or not {"task", "extra_body"} & (request_kwargs or {}).keys():
            return model, candidates
        if any(
            params.get("task")
            and (params.get("custom_llm_provider") or params["model"].split("/", 1)[0]) in ("remodlai", "lexiq_nova")
            for params in (candidate["litellm_params"] for candidate in candidates)
        ):
            from litellm.llms.remodlai.embedding.routing import serving

            candidates = serving(model, candidates, request_kwargs)
        return model, candidates

    return checked""",
        _OF_ONE_TASK,
        _ROUTER[1],
    ),
    Edit(
        "task-routing",
        _ROUTER[0],
        "*._common_checks_available_deployment",
        "above",
        "@_of_requested_task",
        _OF_ONE_TASK,
        _ROUTER[1],
    ),
    Edit(
        "cache-key",
        "litellm/caching/caching.py",
        "Cache.get_cache_key.combined_kwargs",
        "after",
        """\
if (kwargs.get("custom_llm_provider") or str(kwargs.get("model")).split("/", 1)[0]) in ("remodlai", "lexiq_nova"):
    combined_kwargs = combined_kwargs.union(
        ("task", "adapter", "return_multivector", "image", "image_embeds", "instruction", "extra_body")
    )""",
        "with these the same input has other vectors; a cache that left them out would answer for another task",
    ),
    *SHARED_EDITS,
    *PROXY_EDITS,
)


def by_path(has: Callable[[str], bool]) -> dict[str, list[Edit]]:
    """Returns the edits of each file, in their order, for a release of which `has` tells whether it has a file."""
    placed: dict[str, list[Edit]] = {}
    for edit in EDITS:
        placed.setdefault(edit.moved_to if edit.moved_to and has(edit.moved_to) else edit.path, []).append(edit)
    return placed
