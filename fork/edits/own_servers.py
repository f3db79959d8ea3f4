"""Without a base or key of its own, each of these functions would use OpenAI's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fork.edit import Edit

if TYPE_CHECKING:
    from litellm.litellm_core_utils.own_servers import own_moderation, own_moderation_key, own_server, set_own_server

EDIT = Edit(__name__, __doc__, patch="remodlai")


FILES, BATCHES, MAIN = "litellm/files/main.py", "litellm/batches/main.py", "litellm/main.py"


@EDIT.start(FILES, "create_file")
@EDIT.start(FILES, "file_retrieve")
@EDIT.start(FILES, "file_list")
@EDIT.start(BATCHES, "create_batch")
@EDIT.start(BATCHES, "retrieve_batch")
@EDIT.start(BATCHES, "list_batches")
def in_keywords(kwargs: dict[str, Any], custom_llm_provider: str | None) -> None:
    custom_llm_provider = set_own_server(kwargs, custom_llm_provider, kwargs.get("model"))  # rebind-ok: read below


@EDIT.start(FILES, "file_delete")
@EDIT.start(FILES, "file_content")
@EDIT.start(BATCHES, "cancel_batch")
def with_model(kwargs: dict[str, Any], custom_llm_provider: str | None, model: str | None) -> None:
    custom_llm_provider = set_own_server(kwargs, custom_llm_provider, model)  # rebind-ok: read below


@EDIT.start(MAIN, "speech")
@EDIT.start("litellm/images/main.py", "image_generation")
def in_parameters(custom_llm_provider: str | None, model: str, api_base: str | None, api_key: str | None) -> None:
    api_base, api_key = own_server(custom_llm_provider, model, api_base, api_key)  # rebind-ok: read below


@EDIT.start(MAIN, "amoderation")
def of_model(kwargs: dict[str, Any], model: str | None, api_key: str | None) -> None:
    api_key = own_moderation_key(kwargs, model, api_key)  # rebind-ok: read below


@EDIT.start(MAIN, "moderation")
def named_on_server(kwargs: dict[str, Any], model: str | None, api_key: str | None) -> None:
    model, api_key = own_moderation(kwargs, model, api_key)  # rebind-ok: read below
