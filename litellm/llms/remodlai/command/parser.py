"""
The command line of `lexiq-nova`, which is `python -m litellm.llms.remodlai` too.

The exit status is 0, or 1 where something failed, or 2 where the command line is wrong. An error is one sentence on
stderr.
"""

import argparse
import os
import sys
from typing import Final

from litellm.llms.remodlai.command.chat import run
from litellm.llms.remodlai.command.engines import logs, preload, ps, stop
from litellm.llms.remodlai.command.models import list_models, pull
from litellm.llms.remodlai.command.naming import sentence
from litellm.llms.remodlai.command.screen import complain, say
from litellm.llms.remodlai.command.serve import KEY, serve
from litellm.llms.remodlai.doctor import doctor
from litellm.llms.remodlai.errors import LexiqNovaError

PORT: Final = 4000
LAST_PORT: Final = 65535
MODEL_HELP: Final = "directory or model id (org/name)"
OPTIONS_HELP: Final = "vLLM's options, as a command line or JSON"
KEY_HELP: Final = f"Its key is that of the environment variable {KEY}, or made at random and printed once."


def _port(text: str) -> int:
    number: Final = int(text)
    if not 0 <= number <= LAST_PORT:
        raise ValueError(text)
    return number


_port.__name__ = "port"  # argparse names it in its error


def parser() -> argparse.ArgumentParser:
    """Returns the parser; what it returns has `run`, which does the command."""
    made: Final = argparse.ArgumentParser(prog="lexiq-nova", description="Models of this machine, served by vLLM.")
    commands: Final = made.add_subparsers(dest="command", required=True, metavar="COMMAND")

    chatting: Final = commands.add_parser("run", help="chat with a model; with a PROMPT or piped text, one answer")
    chatting.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    chatting.add_argument("prompt", nargs="?", metavar="PROMPT")
    chatting.add_argument("--system", metavar="TEXT", help="what the model is told before the chat")
    chatting.add_argument("--engine-args", metavar="OPTIONS", help=OPTIONS_HELP)
    chatting.set_defaults(run=lambda given: run(given.model, given.prompt, given.engine_args, given.system))

    serving: Final = commands.add_parser("serve", help="an OpenAI endpoint for some models", epilog=KEY_HELP)
    serving.add_argument("models", nargs="+", metavar="MODEL", help=MODEL_HELP)
    serving.add_argument("--host", default="127.0.0.1", help="address to listen on; by default %(default)s")
    serving.add_argument("--port", type=_port, default=PORT, help="by default %(default)s; 0 takes any free one")
    serving.add_argument("--engine-args", metavar="OPTIONS", help=OPTIONS_HELP)
    serving.set_defaults(run=lambda given: serve(given.models, given.engine_args, given.host, given.port))

    preloading: Final = commands.add_parser("preload", help="start engines, and wait until they are ready")
    preloading.add_argument("models", nargs="+", metavar="MODEL", help=MODEL_HELP)
    preloading.add_argument("--engine-args", metavar="OPTIONS", help=OPTIONS_HELP)
    _add_json(preloading)
    preloading.set_defaults(run=lambda given: preload(given.models, given.engine_args, given.json))

    pulling: Final = commands.add_parser("pull", help="fetch a model from the hub")
    pulling.add_argument("model", metavar="MODEL", help="model id (org/name); for GGUF org/name:QUANTIZATION")
    _add_json(pulling)
    pulling.set_defaults(run=lambda given: pull(given.model, given.json))

    listing: Final = commands.add_parser("list", help="list the models that are cached or running")
    _add_json(listing)
    listing.set_defaults(run=lambda given: list_models(given.json))

    showing: Final = commands.add_parser("ps", aliases=["engines"], help="list the engines that are up")
    _add_json(showing)
    showing.set_defaults(run=lambda given: ps(given.json))

    stopping: Final = commands.add_parser("stop", help="stop the engines of a model, or all")
    which: Final = stopping.add_mutually_exclusive_group()
    which.add_argument("model", nargs="?", metavar="MODEL", help=MODEL_HELP)
    which.add_argument("--all", action="store_true", help="as without MODEL")
    _add_json(stopping)
    stopping.set_defaults(run=lambda given: stop(given.model, given.json))

    logging: Final = commands.add_parser("logs", help="print the log of a model's engine")
    logging.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    logging.add_argument("-f", "--follow", action="store_true", help="go on until the engine ends")
    logging.set_defaults(run=lambda given: logs(given.model, given.follow))

    diagnosing: Final = commands.add_parser("doctor", help="say which server a call reaches, and whether it answers")
    diagnosing.add_argument("model", nargs="?", metavar="MODEL", help="remodlai/... or lexiq_nova/...")
    diagnosing.add_argument("--api-base", metavar="URL", help="the call's api_base=")
    diagnosing.set_defaults(run=lambda given: doctor(say, given.model, given.api_base))
    return made


def _add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="one JSON document instead of text")


def main(arguments: list[str] | None = None) -> int:
    """
    Does one command.

    Args:
        arguments: of the command line; by default the process's own.

    Returns:
        The exit status.
    """
    given: Final = parser().parse_args(arguments)
    try:
        status: Final = int(given.run(given))
        sys.stdout.flush()
    except LexiqNovaError as error:
        complain(sentence(error))
    except KeyboardInterrupt:
        complain("interrupted")
    except BrokenPipeError:
        # Whoever read has gone (`| head`). Python would flush stdout once more at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    else:
        return status
    return 1
