"""A client machine under steady load: `python -m deploy.load BASE_URL`, with the proxy's key in LITELLM_MASTER_KEY.

Half of its workers make plain calls, half stream. It prints one JSON line per call when it is over: `began` and `ended`
of this machine's monotonic clock, `streamed`, `error` (null: answered whole). It ends with its standard input.
"""

import asyncio
import json
import os
import sys
import threading
import time

import httpx

WORKERS = 12
MESSAGES = [{"role": "user", "content": "What is the capital of France?"}]


async def call(client: httpx.AsyncClient, streamed: bool) -> str | None:
    """Makes one call; returns what was wrong with the answer, if anything was."""
    body = {"model": "lexiq-nova-chat", "messages": MESSAGES, "stream": streamed}
    try:
        async with client.stream("POST", "/v1/chat/completions", json=body) as response:
            text = (await response.aread()).decode()
    except httpx.TransportError as error:
        return f"{type(error).__name__}: {error}"
    if response.status_code != httpx.codes.OK:
        return f"{response.status_code}: {text[:300]}"
    whole = not streamed or (text.rstrip().endswith("[DONE]") and '"error"' not in text)
    return None if whole else f"the stream ends with {text[-3000:]}"


async def work(client: httpx.AsyncClient, streamed: bool, over: threading.Event) -> None:
    while not over.is_set():
        began = time.monotonic()
        error = await call(client, streamed)
        record = {"began": began, "ended": time.monotonic(), "streamed": streamed, "error": error}
        sys.stdout.write(json.dumps(record) + "\n")
        sys.stdout.flush()


async def main(base: str) -> None:
    over = threading.Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    headers = {"Authorization": f"Bearer {os.environ['LITELLM_MASTER_KEY']}"}
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=60) as client:
        await asyncio.gather(*(work(client, bool(number % 2), over) for number in range(WORKERS)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
