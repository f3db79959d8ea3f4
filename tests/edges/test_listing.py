"""A listing of models trusts a server as the calls of its deployment do."""

from pathlib import Path

import pytest
from edges.calls import PROVIDERS

import litellm
from litellm.types.router import LiteLLM_Params
from support.recording import RecordingServer, Response
from support.tls import authority


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_listing_trusts_the_deployments_authority(provider: str, tmp_path: Path) -> None:
    company, tls = authority(tmp_path)
    with RecordingServer(lambda request: Response(json={"object": "list", "data": [{"id": "m"}]}), tls) as server:
        listed = [
            litellm.get_valid_models(
                check_provider_endpoint=True,
                custom_llm_provider=provider,
                litellm_params=LiteLLM_Params(model="", api_base=server.url, **trusted),
            )
            for trusted in ({}, {"ssl_verify": str(company)}, {"ssl_verify": False})
        ]
        assert [request.path for request in server.take()] == ["/v1/models"] * 2
    assert [len(models) for models in listed] == [0, 1, 1]
