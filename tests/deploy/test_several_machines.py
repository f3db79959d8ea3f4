"""docs/deploy/several-machines on seven machines: what is lost when one of them is, is what the page says.

The machines are network namespaces (see machines.py); each runs its documented command with its documented files, only
with other secrets, addresses and directories, and a stand-in in the place of vLLM. The client calls through nginx all
the time.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from deploy.load import WORKERS
from deploy.machines import Network, why_not
from proxy.gateway import INHERITED

from support.loopback import ENV, child_env
from support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "docs" / "deploy"
SEVERAL = DEPLOY / "several-machines"
MACHINES = {
    "client": "10.77.0.2",
    "nginx": "10.77.0.3",
    "proxy-0": "10.77.0.11",
    "proxy-1": "10.77.0.12",
    "redis": "10.77.0.21",
    "vllm-0": "10.77.0.31",
    "vllm-1": "10.77.0.32",
}
MASTER_KEY, SERVER_KEY, PASSWORD = "sk-machines", "sk-replica", "redis-password"
PROXIES = ("proxy-0", "proxy-1")
# Where the documented commands find what is elsewhere here.
PLACES = {
    "/opt/litellm/bin/litellm": str(Path(sys.executable).with_name("litellm")),
    "/etc/litellm/config.yaml": str(SEVERAL / "config.yaml"),
}
OPTIONS_OF_VLLM = ("--served-model-name", "--host", "--port")
FOREGROUND = ("-e", "stderr", "-g", "daemon off;")
START_SECONDS = 240.0
STEADY_CALLS = 24

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


@dataclass
class Cluster:
    """The machines, what runs on them, and the calls of the client so far."""

    network: Network
    directory: Path
    commands: dict[str, tuple[list[str], dict[str, str]]] = field(default_factory=dict)
    programs: dict[str, subprocess.Popen[Any]] = field(default_factory=dict)

    def install(self, machine: str, command: list[str], environment: Mapping[str, str]) -> None:
        """Decide what a machine runs, and start it."""
        # The network of these machines ends at its bridge, so the guard against other hosts is not needed.
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        base = {**child_env(inherited), ENV: "0", "PYTHONPATH": str(ROOT / "tests"), "PYTHONUNBUFFERED": "1"}
        (self.directory / machine).mkdir()
        self.commands[machine] = (command, {**base, **environment})
        self.start(machine)

    def start(self, machine: str) -> None:
        """Start what was installed, again too; what it says goes to `out` and `log`."""
        command, environment = self.commands[machine]
        folder = self.directory / machine
        with (folder / "out").open("ab") as out, (folder / "log").open("ab") as log:
            self.programs[machine] = self.network.start(
                machine, command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=out, stderr=log
            )

    def calls(self) -> list[dict[str, Any]]:
        lines = (self.directory / "client" / "out").read_text().split("\n")[:-1]  # the last may be incomplete
        return [json.loads(line) for line in lines]

    def answered_since(self, moment: float) -> list[dict[str, Any]]:
        return [call for call in self.calls() if call["began"] > moment]

    def lose(self, machine: str) -> list[dict[str, Any]]:
        """Kill a machine's program under load; returns the calls that failed, after enough others have been made."""
        before = len(self.calls())
        eventually(lambda: len(self.calls()) > before + STEADY_CALLS, START_SECONDS)
        lost = time.monotonic()
        self.network.kill(self.programs[machine])
        gone = time.monotonic()
        eventually(lambda: len(self.answered_since(gone)) > STEADY_CALLS, START_SECONDS)
        failed = [call for call in self.calls() if call["error"] and call["ended"] > lost]
        late = [call for call in failed if call["began"] > gone]
        assert not late, f"calls that began without {machine} failed: {late}"
        return failed


def filled_in(path: Path, **values: str) -> str:
    """A documented file with the values of these machines."""
    text = path.read_text()
    for name, value in values.items():
        text, found = re.subn(rf"^({name}[= ]).*$", rf"\g<1>{value}", text, flags=re.MULTILINE)
        assert found == 1, f"{path.name} does not set {name}"
    return text


def exec_start(unit: Path, environment: dict[str, str]) -> list[str]:
    """What systemd would run."""
    [line] = re.findall(r"^ExecStart=(.*)$", unit.read_text(), re.MULTILINE)
    return [re.sub(r"\$\{(\w+)\}", lambda match: environment[match[1]], word) for word in shlex.split(line)]


def variables(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    directory = tmp_path_factory.mktemp("machines")
    with Network(MACHINES) as network:
        cluster = Cluster(network, directory)
        redis_conf = directory / "redis.conf"
        redis_conf.write_text(filled_in(SEVERAL / "redis.conf", bind=MACHINES["redis"], requirepass=PASSWORD))
        cluster.install("redis", ["redis-server", str(redis_conf)], {})
        for machine in ("vllm-0", "vllm-1"):
            secrets = {"VLLM_API_KEY": SERVER_KEY, "LISTEN": MACHINES[machine]}
            unit = variables(filled_in(SEVERAL / "vllm.env.example", **secrets))
            words = exec_start(SEVERAL / "vllm.service", unit)
            options = [words[words.index(option) + 1] for option in OPTIONS_OF_VLLM]
            cluster.install(machine, [sys.executable, "-m", "deploy.stand_in", *options], unit)
        for machine in PROXIES:
            secrets = {"LITELLM_MASTER_KEY": MASTER_KEY, "REMODLAI_API_KEY": SERVER_KEY, "REDIS_PASSWORD": PASSWORD}
            unit = variables(filled_in(DEPLOY / "proxy.env.example", **secrets, LISTEN=MACHINES[machine]))
            words = exec_start(DEPLOY / "lexiq-nova-proxy.service", unit)
            command = [PLACES.get(word, word) for word in words]
            cluster.install(machine, command, {**unit, "LITELLM_LOCAL_MODEL_COST_MAP": "True"})
        nginx = ["nginx", "-p", str(directory / "nginx"), "-c", str(SEVERAL / "nginx.conf"), *FOREGROUND]
        cluster.install("nginx", nginx, {})
        for machine in PROXIES:
            log = directory / machine / "log"
            eventually(partial(is_ready, network, machine), START_SECONDS, log.read_text)
        load = [sys.executable, "-m", "deploy.load", "http://nginx.internal:8080"]
        cluster.install("client", load, {"LITELLM_MASTER_KEY": MASTER_KEY})
        yield cluster


def is_ready(network: Network, proxy: str) -> bool:
    url = f"http://{MACHINES[proxy]}:4000/health/readiness"
    command = ["curl", "--silent", "--fail", "--max-time", "5", url]
    return network.start(proxy, command, stdout=subprocess.DEVNULL).wait() == 0


def test_one_machine_after_the_other(cluster: Cluster) -> None:
    # Redis: nothing is lost, each proxy goes on with what it knows itself.
    assert not cluster.lose("redis")
    cluster.start("redis")
    assert not [call for call in cluster.calls() if call["error"]]

    # A replica: plain calls are made again on the other one; streams that had begun end with an error event.
    failed = cluster.lose("vllm-0")
    assert all(call["streamed"] and '"error"' in call["error"] for call in failed), failed

    # A proxy: the calls that it was answering are lost, by a broken answer or a 502 of nginx.
    failed = cluster.lose("proxy-0")
    assert failed, "no call was running"
    assert all(call["error"].startswith(("502", "RemoteProtocolError")) for call in failed), failed
    assert len(failed) <= WORKERS

    streamed = {call["streamed"] for call in cluster.calls() if not call["error"]}
    assert streamed == {False, True}
