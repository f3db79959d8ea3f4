"""Reads the Markdown documents of this repository and runs the code in them as a reader would.

A document's `##` sections are independent; the blocks of one share an environment, a directory and a proxy, as in one
terminal. Each Python block is a program of its own, as readers copy one block and not a page. What a block needs stands
behind the language of its fence, where no reader sees it:

    ```python                a call that reaches a server: of `Servers`, or real in `tests/engine`
    ```python server=chat    the same, and a real vLLM of that kind can answer it (`local`: the local engine)
    ```python server=tls     a server whose certificate a company's own authority signed
    ```python offline        reaches no server
    ```yaml title="x.yaml"   a file of that name; its `model_list` must make a Router
    ```toml title="x.toml"   a file of that name
    ```bash                  run by bash; see terminal.sh for what is not run to the end
    ```bash not-run="why"    not run
    ```text                  no code
"""

import contextlib
import multiprocessing
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from unittest import mock

import yaml

import litellm
from support import loopback
from support.loopback import child_env
from support.waiting import until_it_serves

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "README.md",
    "LEXIQ_NOVA_INTEGRATION.md",
    "docs/command.md",
    "docs/vllm.md",
    "docs/proxy.md",
    "docs/providers/remodlai.md",
)
KEY = "sk-your-key"
HOSTED = "https://api.lexiq-nova.com"
SECURE = "https://vllm.internal:8443"
RUNNING = "http://localhost:8000"
PROXY = "http://localhost:4000"
START_SECONDS = 120.0
PROGRAM_SECONDS = 300.0

# Importing LiteLLM takes longer than most blocks: every program is forked from one process that has imported it.
LITELLM = ("main", "router", "proxy._types", "litellm_core_utils.default_encoding", "llms.remodlai.chat.transformation")
PROGRAMS = multiprocessing.get_context("forkserver")
PROGRAMS.set_forkserver_preload(["openai", *(f"litellm.{name}" for name in LITELLM)])

TERMINAL = Path(__file__).with_name("terminal.sh")


@dataclass(frozen=True)
class Block:
    """One fenced block: where it stands, its language, what its fence says besides, and its text."""

    document: str
    section: str
    line: int
    language: str
    options: Mapping[str, str]
    text: str

    @property
    def where(self) -> str:
        return f"{self.document}:{self.line}"


def blocks(document: str) -> list[Block]:
    """The blocks of a document, in order.

    Args:
        document: path below the repository's root.

    Raises:
        ValueError: a fence is not closed, or names no language.
    """
    found: list[Block] = []
    section, fence, lines = "", None, []
    for number, line in enumerate((ROOT / document).read_text().splitlines(), 1):
        if fence is None:
            if line.startswith("## "):
                section = line[3:]
            if line.startswith("```"):
                fence, lines = (number, line[3:]), []
        elif line == "```":
            language, *words = shlex.split(fence[1]) or [""]
            if not language:
                raise ValueError(f"{document}:{fence[0]}: a block without a language")
            options = {name: value for name, _, value in (word.partition("=") for word in words)}
            found.append(Block(document, section, fence[0], language, options, "\n".join(lines) + "\n"))
            fence = None
        else:
            lines.append(line)
    if fence is not None:
        raise ValueError(f"{document}:{fence[0]}: a block without an end")
    return found


def sections(document: str) -> dict[str, list[Block]]:
    """The blocks of a document by section; sections without code are left out."""
    found: dict[str, list[Block]] = {}
    for block in blocks(document):
        if block.language != "text":
            found.setdefault(block.section, []).append(block)
    return found


class Servers(Protocol):
    """What stands in for the servers that the documents name."""

    def of(self, block: Block) -> Mapping[str, str]:
        """What to write in the block instead of the document's addresses, keys and models."""

    def environment(self, block: Block) -> Mapping[str, str]:
        """What to set while the block runs."""

    def reached(self) -> int:
        """How many requests have come since the last call of this method, by what is known here; -1 if unknown."""


class Proxy:
    """A proxy process of the installed `litellm` command, with this process's environment, on a port of its own.

    Args:
        arguments: of the command; the port is added.
        directory: where it runs.
    """

    def __init__(self, arguments: Sequence[str], directory: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._log = directory / "proxy.log"
        command = [str(Path(sys.executable).with_name("litellm")), *arguments, "--host", "127.0.0.1"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--port", str(port)], cwd=directory, env=child_env(), stdout=log, stderr=log
            )
        try:
            until_it_serves(
                f"{self.url}/health/liveliness",
                lambda: self._process.poll() is None,
                START_SECONDS,
                self._log.read_text,
            )
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


def _program(block: Block, text: str, directory: Path, environment: Mapping[str, str], output: str) -> None:
    """Runs a Python block in a fresh process; its exit status is not 0 where it raises or reaches for another host."""
    with open(output, "w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    # Blank lines in front, so that an error names the document's line.
    exec(compile("\n" * block.line + text, str(ROOT / block.document), "exec"), {"__name__": "__main__"})
    refused = loopback.take()
    assert not refused, f"reached for another host: {refused}"


def _run_alone(block: Block, text: str, directory: Path) -> None:
    output = directory / "output"
    program = PROGRAMS.Process(target=_program, args=(block, text, directory, dict(os.environ), str(output)))
    program.start()
    program.join(PROGRAM_SECONDS)
    if program.exitcode is None:
        program.kill()
        program.join()
    assert program.exitcode == 0, f"{block.where}: exit status {program.exitcode}\n{output.read_text()}"


@dataclass
class Reader:
    """Runs the blocks of one section; a context manager, which puts everything back as it was.

    Args:
        servers: what the calls reach.
        directory: where they run.
        covered: commands of installation that other tests run.
    """

    servers: Servers
    directory: Path
    covered: frozenset[str] = frozenset()
    proxy: Proxy | None = None
    _undo: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def __enter__(self) -> "Reader":
        self._undo.callback(os.chdir, Path.cwd())
        os.chdir(self.directory)
        self._undo.enter_context(mock.patch.dict(os.environ))
        for name in [name for name in os.environ if name.startswith(("REMODLAI_", "LEXIQ_NOVA_API"))]:
            del os.environ[name]
        return self

    def __exit__(self, *_: object) -> None:
        if self.proxy is not None:
            self.proxy.stop()
        self._undo.close()

    def read(self, block: Block) -> None:
        """Runs one block.

        Raises:
            AssertionError, or whatever the block raises: it does not do what the document says.
        """
        if "not-run" in block.options:
            return
        text = block.text
        for old, new in {**self.servers.of(block), **({PROXY: self.proxy.url} if self.proxy else {})}.items():
            text = text.replace(old, new)
        run = {"python": self._python, "bash": self._bash, "yaml": self._yaml, "toml": self._toml}[block.language]
        with mock.patch.dict(os.environ, self.servers.environment(block)):
            exports = run(block, text)
        os.environ.update(exports)

    def _python(self, block: Block, text: str) -> dict[str, str]:
        self.servers.reached()
        _run_alone(block, text, self.directory)
        reached = self.servers.reached()
        assert reached == 0 if "offline" in block.options else reached, f"{block.where}: {reached} requests"
        return {}

    def _yaml(self, block: Block, text: str) -> dict[str, str]:
        (self.directory / block.options["title"]).write_text(text)
        config = yaml.safe_load(text)
        router = litellm.Router(model_list=config["model_list"], **config.get("router_settings", {}))
        assert len(router.model_list) == len(config["model_list"]), block.where
        return {}

    def _toml(self, block: Block, text: str) -> dict[str, str]:
        (self.directory / block.options["title"]).write_text(text)
        return {}

    def _bash(self, block: Block, text: str) -> dict[str, str]:
        environment = {**os.environ, "ROOT": str(ROOT), "PYTHON": sys.executable}
        command = ["bash", "-c", f"source {shlex.quote(str(TERMINAL))}\n{text}\nenv -0 > environment\n"]
        done = subprocess.run(command, cwd=self.directory, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{block.where}: {done.stdout}{done.stderr}"
        for line in self._taken("commands"):
            assert line in self.covered, f"{block.where}: no test runs `{line}`"
        for line in self._taken("proxy"):
            self.proxy = Proxy(shlex.split(line), self.directory)
        after = dict(pair.partition("=")[::2] for pair in (self.directory / "environment").read_text().split("\0"))
        return {name: after[name] for name in re.findall(r"^export (\w+)=", text, re.MULTILINE)}

    def _taken(self, name: str) -> list[str]:
        file = self.directory / name
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines
