"""A proxy that has started leaves what it started with out of garbage collections."""

import os
import subprocess
import sys

# A process of its own: freezing is for good.
START = """
import asyncio, gc
from litellm.proxy.proxy_server import app, proxy_startup_event

async def main():
    assert gc.get_freeze_count() == 0
    async with proxy_startup_event(app):
        frozen, walked = gc.get_freeze_count(), len(gc.get_objects())
        assert walked < frozen / 10, (frozen, walked)

asyncio.run(main())
"""


def test_what_a_proxy_starts_with_is_frozen() -> None:
    environment = {**os.environ, "LITELLM_MASTER_KEY": "sk-proxy"}
    done = subprocess.run([sys.executable, "-c", START], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
