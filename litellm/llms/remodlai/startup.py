"""
What a proxy says at its start about the deployments of our providers: which server each of them has.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final

from litellm._version import version
from litellm.litellm_core_utils.own_providers import OWN_SERVER_PROVIDERS
from litellm.llms.remodlai.common_utils import own_server
from litellm.llms.remodlai.engine.progress import say
from litellm.llms.remodlai.errors import LexiqNovaError
from litellm.llms.remodlai.places import LOCAL_ENGINE, base_of_deployment, place_of, without_secrets

FORK: Final = "+remodlai."


def say_deployments(router: object) -> None:
    """
    Writes a line for each deployment of our providers to the log: its server, and where that was named. No keys.

    Args:
        router: the proxy's Router; None where it has no configuration.
    """
    deployments: Final = getattr(router, "model_list", None) or ()
    lines: Final = list(chain.from_iterable(map(_said_of, deployments)))
    if lines and FORK not in version:
        # Files of the fork that another installation of LiteLLM left in place: its other half may be missing.
        lines.append(f"warning: litellm {version} is installed, which is not the fork that has these providers")
    for line in lines:
        say(line)


def _said_of(deployment: Mapping[str, Any]) -> Iterator[str]:
    params: Final = dict(deployment["litellm_params"])
    model: Final = str(params.get("model"))
    provider: Final = str(params.get("custom_llm_provider") or model.split("/", 1)[0])
    if provider not in OWN_SERVER_PROVIDERS:
        return
    name: Final = f"{deployment['model_name']} ({provider}/{model.removeprefix(f'{provider}/')})"
    given: Final = base_of_deployment(params)
    try:
        base, _key = own_server(provider, given, None)
    except LexiqNovaError as error:
        yield f"warning: deployment {name} cannot be called: {error.message}"
        return
    if base == LOCAL_ENGINE:
        yield f"deployment {name}: an engine of this machine, which its first call starts"
    else:
        place: Final = "its api_base" if given else place_of(provider, base)
        yield f"deployment {name}: {without_secrets(base)} (from {place})"
