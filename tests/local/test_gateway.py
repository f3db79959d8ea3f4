"""A proxy with a deployment on this machine and no base: its first call starts the engine, others share it."""

import os
from pathlib import Path

from local.engines import ARGS, MESSAGES, chat, model, pid
from proxy.gateway import Gateway, config_of

from litellm.llms.remodlai.__main__ import main as command


def test_proxy_starts_an_engine_that_others_share(tmp_path: Path) -> None:
    command(["stop"])
    local = {"model_name": "local", "litellm_params": {"model": model(), "engine_args": ARGS}}
    own = ("LEXIQ_NOVA_ENGINE_ARGS", "VLLM_ENABLE_V1_MULTIPROCESSING")
    body = {"model": "local", "messages": MESSAGES, "max_tokens": 4}
    with (
        Gateway(tmp_path, config_of([local]), {name: os.environ[name] for name in own}) as gateway,
        gateway.client(timeout=300) as client,
    ):
        answer = client.post("/v1/chat/completions", json=body)
        assert answer.is_success and answer.json()["usage"]["completion_tokens"], answer.text
        started = pid()
        with client.stream("POST", "/v1/chat/completions", json={**body, "stream": True}) as stream:
            assert "data: [DONE]" in list(stream.iter_lines())
        tokens = client.post("/lexiq_nova/tokenize", json={"model": model().partition("/")[2], "prompt": "one"})
        assert tokens.json()["count"], tokens.text
        assert chat().choices
        assert pid() == started
