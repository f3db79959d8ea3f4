"""
`run`: a chat in the terminal, or one answer in a pipe.
"""

import importlib
import os
import re
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import openai

import litellm
from litellm.llms.remodlai.command.naming import model_named
from litellm.llms.remodlai.command.screen import complain, say, say_piece
from litellm.llms.remodlai.engine.errors import failure
from litellm.llms.remodlai.errors import LexiqNovaError

PROMPT: Final = ">>> "
HELP: Final = "/bye or Ctrl-D ends, /clear forgets what was said, Ctrl-C ends an answer"
# What LiteLLM puts before a server's own words.
_BEFORE: Final = re.compile(r"^(litellm\.)?(\w+Error: )*(\w+Exception - )?(lexiq_nova: )?")


class Unanswered(Exception):
    """A question got no answer, or none to its end; the message says why."""


@dataclass
class Chat:
    """
    A conversation with a model.

    Args:
        call: arguments of `litellm.completion`: model, engine_args.
        messages: what was said so far.
    """

    call: Mapping[str, Any]
    messages: list[dict[str, str]] = field(default_factory=list)

    def ask(self, question: str) -> bool:
        """
        Writes the answer to a question as it comes.

        Args:
            question: the user's next words.

        Returns:
            False where Ctrl-C ended it; what had come by then has been said.

        Raises:
            Unanswered: the call failed; the question is forgotten.
        """
        asked: Final = [*self.messages, {"role": "user", "content": question}]
        pieces: Final[list[str]] = []
        try:
            is_whole: Final = self._is_written(asked, pieces)
        except (openai.OpenAIError, LexiqNovaError) as error:  # LiteLLM's exceptions are the openai package's
            if pieces:
                say_piece("\n")
            raise Unanswered(_BEFORE.sub("", str(getattr(error, "message", error)))) from error
        say_piece("\n")
        if pieces:
            self.messages = [*asked, {"role": "assistant", "content": "".join(pieces)}]
        return is_whole

    def _is_written(self, messages: list[dict[str, str]], pieces: list[str]) -> bool:
        try:
            self._write(messages, pieces)
        except KeyboardInterrupt:
            return False
        return True

    def _write(self, messages: list[dict[str, str]], pieces: list[str]) -> None:
        stream: Final = litellm.completion(**self.call, messages=messages, stream=True)
        try:
            for chunk in stream:
                delta = chunk.choices[0].delta
                if thought := getattr(delta, "reasoning_content", None):
                    say_piece(thought, is_thought=True)
                if delta.content:
                    pieces.append(delta.content)
                    say_piece(delta.content)
        finally:
            stream.close()  # an answer that is ended by Ctrl-C must not go on in the engine

    def forget(self) -> None:
        """Begins anew, with the system's words only."""
        self.messages = [message for message in self.messages if message["role"] == "system"]


def run(model: str, prompt: str | None, engine_args: str | None, system: str | None) -> int:
    """
    Chats with a model, or answers one prompt: an argument, what is piped in, or both.

    Raises:
        LexiqNovaError: there is nothing to answer.
    """
    litellm.suppress_debug_info = True
    options: Final = {"engine_args": engine_args} if engine_args else {}
    messages: Final = [{"role": "system", "content": system}] if system else []
    chat: Final = Chat({"model": f"lexiq_nova/{model_named(model)}", **options}, messages)
    piped: Final = _piped(prompt is not None)
    if prompt is None and piped is None:
        return _talk(chat)
    question: Final = "\n\n".join(part for part in (prompt, piped) if part and part.strip())
    if not question:
        raise failure("there is nothing to answer: the prompt is empty", 400)
    try:
        return int(not chat.ask(question))
    except Unanswered as error:
        complain(str(error))
        return 1


def _piped(has_prompt: bool) -> str | None:
    """
    What was piped in.

    Args:
        has_prompt: whether there is one besides; then nothing is read but a pipe or a file, which have an end.
    """
    if sys.stdin is None or sys.stdin.isatty():
        return None
    kind: Final = os.fstat(sys.stdin.fileno()).st_mode
    if has_prompt and not (stat.S_ISFIFO(kind) or stat.S_ISREG(kind)):
        return None
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise failure(f"what is piped in is no text in UTF-8: {error}", 400) from None


def _talk(chat: Chat) -> int:
    try:
        importlib.import_module("readline")  # gives `input` its editing and its history
    except ModuleNotFoundError:
        complain("lines cannot be edited: this Python has no readline")
    is_shown: Final = sys.stdout.isatty()
    if is_shown:
        say(HELP)
    while True:
        try:
            question = input(PROMPT if is_shown else "").strip()
        except EOFError:
            say_piece("\n" if is_shown else "")
            return 0
        except KeyboardInterrupt:
            say_piece(f"\n{HELP}\n" if is_shown else "")
            continue
        if question == "/bye":
            return 0
        if question == "/clear":
            chat.forget()
        elif question:
            try:
                chat.ask(question)
            except Unanswered as error:
                complain(str(error))
