"""The files under docs/deploy: what this machine can check of them."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from proxy.backend import SERVER_KEY, TEXT, serving
from proxy.gateway import Gateway
from proxy.redis_server import RedisServer

from support.recording import RecordingServer

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "docs" / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))


def config(name: str) -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / name / "config.yaml").read_text())


def variables(path: str) -> dict[str, str]:
    """What an .env.example sets."""
    lines = [line for line in (DEPLOY / path).read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def asked_of_environment(value: Any) -> set[str]:
    """The names of `os.environ/…` in a configuration."""
    return set(re.findall(r"os\.environ/(\w+)", yaml.safe_dump(value)))


def run(*command: str, **options: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def replicas() -> Iterator[list[RecordingServer]]:
    with RecordingServer(serving(SERVER_KEY)) as one, RecordingServer(serving(SERVER_KEY)) as two:
        yield [one, two]


def ask(gateway: Gateway) -> str:
    body = {"model": "lexiq-nova-chat", "messages": [{"role": "user", "content": "Hello"}]}
    with gateway.client() as client:
        answer = client.post("/v1/chat/completions", json=body).raise_for_status().json()
    return answer["choices"][0]["message"]["content"]


@pytest.mark.parametrize("name", ["one-machine", "several-machines"])
def test_every_variable_of_a_configuration_has_an_example(name: str) -> None:
    assert asked_of_environment(config(name)) <= set(variables("proxy.env.example"))


def test_one_machine(new_gateway: Callable[..., Gateway], replicas: list[RecordingServer]) -> None:
    # Where a vLLM already runs, the same configuration uses it.
    environment = {
        "LITELLM_MASTER_KEY": "sk-one-machine",
        "LEXIQ_NOVA_API_BASE": replicas[0].url,
        "LEXIQ_NOVA_API_KEY": SERVER_KEY,
    }
    gateway = new_gateway({**config("one-machine"), "general_settings": {"master_key": "sk-one-machine"}}, environment)

    assert ask(gateway) == TEXT
    [request] = [request for request in replicas[0].take() if request.method == "POST"]
    assert request.json()["model"] == "Qwen/Qwen2.5-7B-Instruct"
    assert "engine_args" not in request.json(), "options of the engine are not part of a call"


def test_several_machines(new_gateway: Callable[..., Gateway], replicas: list[RecordingServer], tmp_path: Path) -> None:
    with RedisServer(tmp_path) as redis:
        environment = {
            "LITELLM_MASTER_KEY": "sk-several-machines",
            "REMODLAI_API_KEY": SERVER_KEY,
            **{f"VLLM_{number}": replica.url for number, replica in enumerate(replicas)},
            **redis.environment,
        }
        settings = config("several-machines")
        settings["general_settings"]["master_key"] = "sk-several-machines"
        gateway = new_gateway(settings, environment)

        assert {ask(gateway) for _ in range(20)} == {TEXT}
        assert all(replica.take() for replica in replicas), "both replicas are used"


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_manifests_are_what_kubernetes_knows(path: Path) -> None:
    for manifest in yaml.safe_load_all(path.read_text()):
        kubernetes_validate.validate(manifest, "1.37", strict=True)


def test_manifests_fit_together() -> None:
    manifests = [manifest for path in MANIFESTS for manifest in yaml.safe_load_all(path.read_text())]
    specs = {(each["kind"], each["metadata"]["name"]): each.get("spec", {}) for each in manifests}
    pods = {name: spec["template"] for (_, name), spec in specs.items() if "template" in spec}
    services = {name: spec for (kind, name), spec in specs.items() if kind == "Service"}

    for name, service in services.items():
        ports = {port["name"] for container in pods[name]["spec"]["containers"] for port in container["ports"]}
        assert service["selector"] == pods[name]["metadata"]["labels"]
        assert {port["targetPort"] for port in service["ports"]} <= ports
    # The proxy's environment has all that its configuration asks for, and the replicas it names exist.
    [proxy] = pods["proxy"]["spec"]["containers"]
    given = {each["name"]: each["value"] for each in proxy["env"]}
    assert asked_of_environment(config("several-machines")) <= {*given, *variables("kubernetes/secrets.env.example")}
    vllm = specs["StatefulSet", "vllm"]
    assert [given[f"VLLM_{number}"] for number in range(vllm["replicas"])] == [
        f"http://vllm-{number}.{vllm['serviceName']}:8000" for number in range(vllm["replicas"])
    ]
    [served] = [arg for arg in pods["vllm"]["spec"]["containers"][0]["args"] if arg.startswith("--served-model-name")]
    asked = {each["litellm_params"]["model"] for each in config("several-machines")["model_list"]}
    assert {f"remodlai/{served.split('=')[1]}"} == asked


def test_kustomization(tmp_path: Path) -> None:
    copy = shutil.copytree(DEPLOY, tmp_path / "deploy")
    shutil.copy(copy / "kubernetes" / "secrets.env.example", copy / "kubernetes" / "secrets.env")

    built = list(yaml.safe_load_all(run(str(Path(sys.executable).parent / "kubectl"), "kustomize", str(copy))))

    for manifest in built:
        kubernetes_validate.validate(manifest, "1.37", strict=True)
    kinds = [manifest["kind"] for manifest in built]
    assert kinds.count("ConfigMap") == kinds.count("Secret") == 1
    [mounted] = [manifest["data"]["config.yaml"] for manifest in built if manifest["kind"] == "ConfigMap"]
    assert yaml.safe_load(mounted) == config("several-machines")


def test_nginx(tmp_path: Path) -> None:
    # Names of other machines do not resolve here: any address will do for the syntax.
    text = re.sub(r"\b[\w-]+\.internal:", "127.0.0.1:", (DEPLOY / "several-machines" / "nginx.conf").read_text())
    file = tmp_path / "nginx.conf"
    file.write_text(text)
    run("nginx", "-t", "-q", "-p", str(tmp_path), "-c", str(file), "-e", "stderr")


@pytest.mark.parametrize("document", ["lexiq-nova-proxy.service", "several-machines/vllm.service"])
def test_systemd(tmp_path: Path, document: str) -> None:
    unit = tmp_path / Path(document).name
    text = (DEPLOY / document).read_text()
    unit.write_text(re.sub(r"/opt/\w+/bin/\w+", sys.executable, re.sub("User=.*", "User=nobody", text)))
    run("systemd-analyze", "verify", "--man=no", str(unit))


def test_running_streams_get_the_time_that_the_files_name() -> None:
    """LiteLLM cuts streams 30 seconds after SIGTERM, unless told to wait longer; systemd and Kubernetes end it too."""
    unit = (DEPLOY / "lexiq-nova-proxy.service").read_text()
    [stops] = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    [waits] = re.findall(r"\bGRACEFUL_SHUTDOWN_TIMEOUT=(\d+)", unit)
    assert 30 < int(waits) < int(stops)

    manifests = yaml.safe_load_all((DEPLOY / "kubernetes" / "proxy.yaml").read_text())
    [pod] = [each["spec"]["template"]["spec"] for each in manifests if each["kind"] == "Deployment"]
    [proxy] = pod["containers"]
    given = {each["name"]: each["value"] for each in proxy["env"]}
    _sleep, paused = proxy["lifecycle"]["preStop"]["exec"]["command"]
    assert 30 < int(given["GRACEFUL_SHUTDOWN_TIMEOUT"]) < pod["terminationGracePeriodSeconds"] - int(paused)


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions and their arguments, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in text.splitlines() if line]


def test_the_steps_of_the_image(tmp_path: Path) -> None:
    """Runs COPY and RUN with the image's directories under a temporary one, then what the image would start."""
    places = {place: str(tmp_path / place.strip("/")) for place in ("/src", "/wheels", "/opt/litellm")}

    def here(text: str) -> str:
        return re.sub("|".join(places), lambda match: places[match.group()], text)

    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().split()
    # The build downloads from the package index, and so does pip: the one step that may leave this machine.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "LOOPBACK_ONLY": "0", "PATH": path}
    for name, argument in instructions():
        if name == "COPY" and argument == ". /src":
            shutil.copytree(
                ROOT,
                places["/src"],
                ignore=lambda directory, names: {
                    each for each in names for rule in ignored if fnmatch(each, rule.removeprefix("**/"))
                },
            )
        elif name == "ARG":
            environment |= dict([argument.split("=", 1)])
        elif name == "RUN":
            run("sh", "-ec", here(argument), cwd=tmp_path, env=environment)
    started = dict(instructions())
    [program] = yaml.safe_load(started["ENTRYPOINT"])
    bin_directory = Path(here("/opt/litellm")) / "bin"
    assert started["ENV"].startswith("PATH=/opt/litellm/bin:")
    assert "+remodlai." in run(str(bin_directory / "pip"), "list", env=environment)
    helped = run(str(bin_directory / program), "--help", env=environment)
    assert all(word in helped for word in yaml.safe_load(started["CMD"]) if word.startswith("--"))
