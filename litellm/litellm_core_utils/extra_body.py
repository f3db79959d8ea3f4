"""
The extra body of a Router's call: the deployment's and the call's, key by key, the call's value where both have one.
"""

from collections.abc import Mapping, MutableMapping
from typing import Final

# What a call and a deployment may each give a part of; vLLM takes the second beside or in the first.
MERGED: Final = ("extra_body", "chat_template_kwargs")


class MergedBody(dict[str, object]):
    """
    An extra body that keeps what the call itself said: the next deployment of the same call begins with that.

    Attributes:
        of_call: the call's own extra body.
        first: names in it that the call has not beside it as well; nothing beside it wins over these.
    """

    of_call: Mapping[str, object]
    first: frozenset[str]


def merged(deployment: Mapping[str, object], call: Mapping[str, object]) -> dict[str, object]:
    """Both mappings in one; where both hold a mapping for a key (`chat_template_kwargs`), their keys in one."""
    both: Final = {**deployment, **call}
    for key in deployment.keys() & call.keys():
        ours, theirs = deployment[key], call[key]
        if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
            both[key] = {**ours, **theirs}
    return both


def merge_extra_body(deployment: object, call: MutableMapping[str, object]) -> None:
    """
    Gives a call the extra body of the deployment that serves it.

    Args:
        deployment: the deployment's `litellm_params`.
        call: keywords of the call; changed. The same call may have been given another deployment's before.
    """
    for name in MERGED:
        given = call.get(name)
        own = given.of_call if isinstance(given, MergedBody) else given
        if not isinstance(own, Mapping):
            continue
        configured = deployment.get(name) if isinstance(deployment, Mapping) else None
        call[name] = body = MergedBody(merged(configured if isinstance(configured, Mapping) else {}, own))
        first = given.first if isinstance(given, MergedBody) else frozenset(own.keys() - call.keys())
        body.of_call, body.first = own, first


def own_copy(body: Mapping[str, object] | None) -> dict[str, object]:
    """A copy of an extra body that may be changed."""
    copy: Final = MergedBody(body or {})
    copy.of_call, copy.first = (body.of_call, body.first) if isinstance(body, MergedBody) else ({}, frozenset())
    return copy


def set_beside(body: dict[str, object], key: str, value: object) -> None:
    """
    Puts a parameter that stands beside an extra body into it.

    Args:
        body: made by `own_copy`.
        key: the parameter's name.
        value: its value. A deployment's wins over the deployment's extra body, a call's over both extra bodies.
    """
    first: Final = body.first if isinstance(body, MergedBody) else frozenset()
    present: Final = body.get(key)
    if isinstance(present, Mapping) and isinstance(value, Mapping):
        body[key] = {**value, **present} if key in first else {**present, **value}
    elif key not in first:
        body[key] = value
