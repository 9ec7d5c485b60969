"""A conversation at the terminal: this file holds the command `chat`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import Final, TextIO

import anyio

from smallhold.agents import Agent
from smallhold.agents.agent import MAX_MESSAGE_CHARS
from smallhold.cli.agent_setup import close_agent, load_model, model_name
from smallhold.cli.failures import show_error
from smallhold.cli.terminal import foreign, result_console, side_console
from smallhold.cli.transcript import Transcript, answer_aloud
from smallhold.exceptions import SmallholdError

_PROMPT: Final = "> "
CHAT_SESSION: Final = "chat"


def hold_chat(agent: Agent, *, stdin: TextIO, session: str = CHAT_SESSION) -> None:
    """Answer line after line until the input ends, and free the model.

    With somebody at the terminal an error is shown and the chat goes on; without, it ends there,
    since nobody could react.

    Args:
        agent: Who answers.
        stdin: What the user types.
        session: The conversation; with a state it goes on where it was left.

    Raises:
        SmallholdError: the model cannot be loaded; or, without a terminal, any error of a run.
    """
    try:
        anyio.run(_greet, agent)
        for text in _typed_lines() if stdin.isatty() else _piped_lines(stdin):
            try:
                anyio.run(_answer, agent, text, session)
            except SmallholdError as error:
                if not stdin.isatty():
                    raise
                show_error(str(error))
    finally:
        anyio.run(close_agent, agent)


async def _greet(agent: Agent) -> None:
    console = side_console()
    with console.status("Loading the model"):
        _, load_s = await load_model(agent.runtime)
    tools = f", {len(agent.tools)} tools" if len(agent.tools) else ""
    name = model_name(agent.config)
    text = f"{name} loaded in {load_s:.1f} s{tools}. Ctrl-D ends the conversation."
    console.print(foreign(text, style="dim"))


async def _answer(agent: Agent, text: str, session: str) -> None:
    transcript = Transcript(answer=result_console(), notes=side_console())
    try:
        await answer_aloud(agent, text, listener=transcript, session=session)
    finally:
        # Each message has an event loop of its own, and connections belong to one.
        if agent.state is not None:
            await agent.state.aclose()


def _typed_lines() -> Iterator[str]:
    # Its import gives `input` editing and a history; not every Python has it.
    with suppress(ImportError):
        import_module("readline")
    while True:
        try:
            line = input(_PROMPT)
        except EOFError:
            sys.stdout.write("\n")
            return
        if line.strip():
            yield line


def _piped_lines(stdin: TextIO) -> Iterator[str]:
    # One character more than allowed tells a line that is too long without reading it whole.
    while line := stdin.readline(MAX_MESSAGE_CHARS + 2):
        if line.strip():
            yield line.rstrip("\n")
