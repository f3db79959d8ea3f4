"""
What is compared: each contender makes the same calls to the same server, in its own way, and reads every chunk.

A contender's methods make one call each and return how many units (chunks, calls, vectors) it brought. Those that
`benchmarks.scale` needs are here only for those whom it compares.
"""

import json
from typing import Any

QUESTION = "What is the capital of France?"
MESSAGES = [{"role": "user", "content": QUESTION}]
TEXTS = [f"bench input {i}" for i in range(256)]
KEY = "benchmark"


class Httpx:
    """The floor: one httpx client, JSON decoded, no objects."""

    def __init__(self, base: str) -> None:
        import httpx

        self.sync, self.asynchronous = httpx.Client(base_url=base), httpx.AsyncClient(base_url=base)

    @staticmethod
    def _chat(model: str, stream: bool) -> dict[str, Any]:
        return {"model": model, "messages": MESSAGES, "stream": stream}

    def plain(self) -> int:
        return len(self.sync.post("/chat/completions", json=self._chat("plain", False)).json()["choices"])

    async def aplain(self) -> int:
        response = await self.asynchronous.post("/chat/completions", json=self._chat("plain", False))
        return len(response.json()["choices"])

    def stream(self, chunks: int) -> int:
        count = 0
        with self.sync.stream("POST", "/chat/completions", json=self._chat(f"chunks-{chunks}", True)) as response:
            for line in response.iter_lines():
                if line.startswith("data: {"):
                    count += len(json.loads(line[6:])["choices"])
        return count

    async def astream(self, chunks: int) -> int:
        count = 0
        request = self._chat(f"chunks-{chunks}", True)
        async with self.asynchronous.stream("POST", "/chat/completions", json=request) as response:
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    count += len(json.loads(line[6:])["choices"])
        return count

    def embed(self) -> int:
        return len(self.sync.post("/embeddings", json={"model": "embed", "input": TEXTS}).json()["data"])

    async def responses(self, chunks: int) -> int:
        request = {"model": f"chunks-{chunks}", "input": QUESTION, "stream": True}
        async with self.asynchronous.stream("POST", "/responses", json=request) as response:
            return len([json.loads(line[6:]) async for line in response.aiter_lines() if line.startswith("data: {")])

    def sync_responses(self, chunks: int) -> int:
        request = {"model": f"chunks-{chunks}", "input": QUESTION, "stream": True}
        with self.sync.stream("POST", "/responses", json=request) as response:
            return len([json.loads(line[6:]) for line in response.iter_lines() if line.startswith("data: {")])


class OpenAI:
    """The openai SDK with one client of each kind."""

    def __init__(self, base: str) -> None:
        import openai

        self.sync = openai.OpenAI(base_url=base, api_key=KEY)
        self.asynchronous = openai.AsyncOpenAI(base_url=base, api_key=KEY)

    def plain(self, question: str = QUESTION) -> int:
        messages = [{"role": "user", "content": question}]
        return len(self.sync.chat.completions.create(model="plain", messages=messages).choices)

    async def aplain(self) -> int:
        return len((await self.asynchronous.chat.completions.create(model="plain", messages=MESSAGES)).choices)

    def stream(self, chunks: int) -> int:
        model = f"chunks-{chunks}"
        return sum(1 for _ in self.sync.chat.completions.create(model=model, messages=MESSAGES, stream=True))

    async def astream(self, chunks: int) -> int:
        model = f"chunks-{chunks}"
        stream = await self.asynchronous.chat.completions.create(model=model, messages=MESSAGES, stream=True)
        return len([None async for _ in stream])

    def embed(self) -> int:
        return len(self.sync.embeddings.create(model="embed", input=TEXTS).data)

    async def responses(self, chunks: int) -> int:
        stream = await self.asynchronous.responses.create(model=f"chunks-{chunks}", input=QUESTION, stream=True)
        return len([None async for _ in stream])

    def sync_responses(self, chunks: int) -> int:
        return len(list(self.sync.responses.create(model=f"chunks-{chunks}", input=QUESTION, stream=True)))


class AnyLLM:
    """
    mozilla-ai's any-llm with its openai provider.

    Its client is asynchronous, bound to the loop that it was first used in; a synchronous call runs a loop of its own,
    so it gets a client of its own, as any-llm's own functions do it.
    """

    def __init__(self, base: str) -> None:
        import any_llm

        self.module = any_llm
        self.client = any_llm.AnyLLM.create("openai", api_key=KEY, api_base=base)
        self.server = {"provider": "openai", "api_key": KEY, "api_base": base}

    def plain(self) -> int:
        return len(self.module.completion(model="plain", messages=MESSAGES, **self.server).choices)

    async def aplain(self) -> int:
        return len((await self.client.acompletion(model="plain", messages=MESSAGES)).choices)

    def stream(self, chunks: int) -> int:
        model = f"chunks-{chunks}"
        return sum(1 for _ in self.module.completion(model=model, messages=MESSAGES, stream=True, **self.server))

    async def astream(self, chunks: int) -> int:
        stream = await self.client.acompletion(model=f"chunks-{chunks}", messages=MESSAGES, stream=True)
        return len([None async for _ in stream])

    def embed(self) -> int:
        return len(self.module.embedding(model="embed", inputs=TEXTS, **self.server).data)


class LiteLLM:
    """A provider of LiteLLM, as its users call it; no callbacks, and a model that no price list knows."""

    provider = ""

    def __init__(self, base: str) -> None:
        import litellm

        self.litellm = litellm
        self.server = {"api_base": base, "api_key": KEY}
        self.routers: dict[int, Any] = {}

    def _chat(self, model: str, stream: bool, question: str = QUESTION) -> dict[str, Any]:
        messages = [{"role": "user", "content": question}]
        return {"model": f"{self.provider}/{model}", "messages": messages, "stream": stream, **self.server}

    def plain(self, question: str = QUESTION) -> int:
        return len(self.litellm.completion(**self._chat("plain", False, question)).choices)

    async def routed(self, deployments: int) -> int:
        """A plain call by a Router with so many deployments of its model."""
        if deployments not in self.routers:
            params = {"model": f"{self.provider}/plain", **self.server}
            models = [{"model_name": "bench", "litellm_params": params} for _ in range(deployments)]
            self.routers[deployments] = self.litellm.Router(model_list=models)
        return len((await self.routers[deployments].acompletion(model="bench", messages=MESSAGES)).choices)

    async def aplain(self) -> int:
        return len((await self.litellm.acompletion(**self._chat("plain", False))).choices)

    def stream(self, chunks: int) -> int:
        return sum(1 for _ in self.litellm.completion(**self._chat(f"chunks-{chunks}", True)))

    async def astream(self, chunks: int) -> int:
        return len([None async for _ in await self.litellm.acompletion(**self._chat(f"chunks-{chunks}", True))])

    def embed(self) -> int:
        return len(self.litellm.embedding(model=f"{self.provider}/embed", input=TEXTS, **self.server).data)

    def _response(self, chunks: int) -> dict[str, Any]:
        return {"model": f"{self.provider}/native-chunks-{chunks}", "input": QUESTION, "stream": True, **self.server}

    async def responses(self, chunks: int) -> int:
        return len([None async for _ in await self.litellm.aresponses(**self._response(chunks))])

    def sync_responses(self, chunks: int) -> int:
        return len(list(self.litellm.responses(**self._response(chunks))))

    async def messages(self, chunks: int) -> int:
        """Anthropic's events, as bytes; a chunk with text is one event."""
        call = {"model": f"{self.provider}/chunks-{chunks}", "messages": MESSAGES, "max_tokens": 1000, "stream": True}
        stream = await self.litellm.anthropic.messages.acreate(**call, **self.server)
        return b"".join([event async for event in stream]).count(b"event: content_block_delta")


class HostedVLLM(LiteLLM):
    provider = "hosted_vllm"

    def _response(self, chunks: int) -> dict[str, Any]:
        call = super()._response(chunks)
        if (model := call["model"]) not in self.litellm.model_cost:
            # Of another model upstream asks for a whole answer and cuts it into events.
            self.litellm.register_model({model: {"litellm_provider": self.provider, "supports_native_streaming": True}})
        return call


class RemodlAI(LiteLLM):
    provider = "remodlai"


CONTENDERS = {"httpx": Httpx, "openai": OpenAI, "any-llm": AnyLLM, "hosted_vllm": HostedVLLM, "remodlai": RemodlAI}
