"""The Admin UI of a proxy without a database, in a headless Chromium: its public model hub shows both providers.

The rest of the UI asks for a login, which needs a database; its provider logos are compiled in.
"""

import subprocess
from pathlib import Path

from proxy.gateway import Gateway

from support.recording import RecordingServer


def page(gateway: Gateway, path: str, profile: Path) -> str:
    """The text of a page once its scripts have run."""
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={profile}"]
    command = ["chromium", *options, "--virtual-time-budget=60000", "--dump-dom", gateway.url + path]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=True).stdout


def test_the_model_hub_shows_both_providers(gateway: Gateway, server: RecordingServer, tmp_path: Path) -> None:
    shown = page(gateway, "/ui/model_hub_table/", tmp_path)

    assert "lexiq-nova-chat" in shown and "Remodlai" in shown
    assert "lexiq-nova-local" in shown and "Lexiq_nova" in shown
