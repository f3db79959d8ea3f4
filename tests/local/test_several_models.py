"""The common three, chat, embeddings and rerank, are up together where memory holds them."""

from local.engines import MESSAGES, model, pid, status

import litellm
from litellm.llms.remodlai.__main__ import main as command
from litellm.llms.remodlai.engine.engine import Engine, running_engines
from support.models import model_dir

NAMES = ("smollm2", "minilm", "cross-encoder")


def test_chat_embeddings_and_rerank_are_up_together() -> None:
    command(["stop"])
    engines = {name: Engine.of(str(model_dir(name))) for name in NAMES}

    def call_each() -> dict[str, int]:
        chat = litellm.completion(model=model("smollm2"), messages=MESSAGES, max_tokens=4)
        assert chat.choices[0].message.content is not None
        assert len(litellm.embedding(model=model("minilm"), input=["Paris"]).data[0]["embedding"]) == 384
        ranked = litellm.rerank(model=model("cross-encoder"), query="capital", documents=["Paris", "a cat"])
        assert len(ranked.results or ()) == 2
        return {name: pid(engine) for name, engine in engines.items()}

    first = call_each()
    assert call_each() == first
    assert {engine.model for engine in running_engines()} == {engine.model for engine in engines.values()}
    for engine in engines.values():
        assert 1 < (status(engine) or {})["needs"]["memory"] / 2**30 < 8
    command(["stop"])
