"""What the proxy tests share: one Lexiq Nova server without a model, and one proxy in front of it.

A proxy takes some ten seconds to start, so most tests use the same one; tests that kill something, or need another
configuration, start their own.
"""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from proxy.backend import INPUT_COST, OUTPUT_COST, SECOND_COST, SERVER_KEY, serving
from proxy.gateway import Gateway, config_of, deployment

from support.recording import RecordingServer


@pytest.fixture(scope="session")
def _server() -> Iterator[RecordingServer]:
    with RecordingServer(serving(SERVER_KEY)) as server:
        yield server


@pytest.fixture
def server(_server: RecordingServer) -> Iterator[RecordingServer]:
    """The server behind the proxy, with its usual answers and nothing recorded."""
    _server.responder = serving(SERVER_KEY)
    _server.take()
    yield _server
    _server.responder = serving(SERVER_KEY)


@pytest.fixture(scope="session")
def gateway(_server: RecordingServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A proxy with a deployment per endpoint, logging at INFO to its file and to the recorder."""
    directory = tmp_path_factory.mktemp("gateway")
    key = {"api_key": "os.environ/NOVA_KEY"}
    per_token = {"input_cost_per_token": INPUT_COST, "output_cost_per_token": OUTPUT_COST}
    remodlai = {
        "lexiq-nova-chat": ("remodlai/nova", per_token),
        "lexiq-nova-by-the-second": ("remodlai/nova-timed", {"input_cost_per_second": SECOND_COST}),
        "lexiq-nova-embedding": ("remodlai/nova-embedding", {"model_info": {"mode": "embedding"}}),
        "lexiq-nova-rerank": ("remodlai/nova-rerank", {"model_info": {"mode": "rerank"}}),
        "lexiq-nova-whisper": ("remodlai/nova-whisper", {"model_info": {"mode": "audio_transcription"}}),
    }
    models = [deployment(name, model, _server.url, **key, **more) for name, (model, more) in remodlai.items()]
    models.append(deployment("lexiq-nova-local", "lexiq_nova/org/nova", f"{_server.url}/v1", **key))
    config = config_of(
        models,
        litellm_settings={
            "callbacks": ["recorder.recorder", "prometheus"],
            "public_model_groups": [model["model_name"] for model in models],
        },
        router_settings={"disable_cooldowns": True},  # an error that one test provokes is not to be the next one's
    )
    environment = {
        "NOVA_KEY": SERVER_KEY,
        "REMODLAI_API_BASE": _server.url,
        "REMODLAI_API_KEY": SERVER_KEY,
        "LEXIQ_NOVA_API_BASE": f"{_server.url}/v1",
        "LEXIQ_NOVA_API_KEY": SERVER_KEY,
        "LITELLM_LOG": "INFO",
        "RECORDER_FILE": str(directory / "recorded.jsonl"),
    }
    with Gateway(directory, config, environment, modules=(Path(__file__).with_name("recorder.py"),)) as started:
        yield started


@pytest.fixture
def new_gateway(tmp_path: Path) -> Iterator[Callable[..., Gateway]]:
    """Starts further proxies, which end with the test: `new_gateway(config, env=…, args=…)`."""
    started: list[Gateway] = []
    numbers = itertools.count()

    def start(*args: object, **kwargs: object) -> Gateway:
        gateway = Gateway(tmp_path / f"gateway-{next(numbers)}", *args, **kwargs)  # type: ignore[arg-type]
        started.append(gateway)
        return gateway.start()

    yield start
    for gateway in started:
        gateway.stop()
