"""
Explicit edits of what the proxy does for every call, whichever the provider: nothing is looked up twice that cannot
have changed. What a call does stays the same.
"""

from fork.text_edit import Edit

_ROUTER = ("litellm/router.py", "litellm/router_python_core.py")
_WITHOUT_LIMITS = "each call asked twice, for a tenth of its price, whether its deployment has a limit to count for"
_ROUTES = "litellm/proxy/auth/route_checks.py"
_SAME_ROUTES = "each call compared its route with every pattern of a list that does not change"
_SERVER = "litellm/proxy/proxy_server.py"
_PLAIN_CHUNKS = "a third of what a streamed chunk cost was to ask pydantic models for fields that they do not have"

PROXY_EDITS = (
    *(
        Edit("plain-chunks", _SERVER, symbol, where, code, _PLAIN_CHUNKS)
        for symbol, where, code in (
            (
                "_restamp_streaming_chunk_model",
                "after",
                """

def _of_plain_objects(serialize):
    \"\"\"Serialises a chunk as plain objects with the same fields, which know at once what they do not have.\"\"\"
    from types import SimpleNamespace

    def plain(model):
        return SimpleNamespace(**model.__dict__, **(model.__pydantic_extra__ or {}))

    def serialized(chunk):
        if len(chunk.choices) != 1 or not isinstance(chunk.choices[0].delta, BaseModel):
            return serialize(chunk)
        copy, choice = plain(chunk), plain(chunk.choices[0])
        choice.delta = plain(choice.delta)
        copy.choices = [choice]
        return serialize(copy)

    return serialized
""",
            ),
            ("_fast_serialize_simple_model_response_stream", "above", "@_of_plain_objects"),
        )
    ),
    Edit(
        "without-limits",
        _ROUTER[0],
        "_ROUTING_KWARGS_ADAPTER",
        "after",
        """

def _not_without_limits(increment):
    \"\"\"A deployment found to have no limits is not looked at again until it, or the price list, is another.\"\"\"
    import litellm

    async def incremented(self, *, deployment_id, **call):
        index = self.model_id_to_deployment_index_map.get(deployment_id)
        now = None if index is None else (self.model_list[index], litellm.model_cost)
        found = self.__dict__.setdefault("_deployments_without_limits", {})
        known = found.get(deployment_id)
        if now is not None and known is not None and known[0] is now[0] and known[1] is now[1]:
            return None
        key = await increment(self, deployment_id=deployment_id, **call)
        if key is None and now is not None and (call["total_tokens"] > 0 or call["rpm_increment"] > 0):
            found[deployment_id] = now
        return key

    return incremented""",
        _WITHOUT_LIMITS,
        _ROUTER[1],
    ),
    Edit(
        "without-limits",
        _ROUTER[0],
        "*._increment_deployment_usage",
        "above",
        "@_not_without_limits",
        _WITHOUT_LIMITS,
        _ROUTER[1],
    ),
    *(
        Edit("management-routes", _ROUTES, symbol, where, code, _SAME_ROUTES)
        for symbol, where, code in (
            ("_PROXY_ADMIN_VIEW_ONLY_BLOCKED_ROUTES", "after", "from functools import lru_cache"),
            ("RouteChecks.is_management_route", "above", "@lru_cache(maxsize=1024)"),
        )
    ),
    Edit(
        "no-database",
        "litellm/proxy/db/log_db_metrics.py",
        "_handle_logging_db_exception",
        "start",
        """\
from litellm.proxy.proxy_server import prisma_client as _prisma_client

if _prisma_client is None:
    return False
""",
        "without a database each call looked through the import path for its client, which need not be installed",
    ),
    Edit(
        "no-database",
        "litellm/proxy/db/exception_handler.py",
        "PrismaDBExceptionHandler.is_database_service_unavailable_error",
        "start",
        """\
from importlib.util import find_spec

if find_spec("prisma") is None:
    return False
""",
        "without the database's client, a refused request was answered with 500 and not with what is wrong with it",
    ),
)
