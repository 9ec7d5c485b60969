"""A shop whose process is killed: this file holds its tools, its scripted model and its agent.

Every tool notes its effect in a file of its own, outside the database, with one unbuffered write:
what stands there has happened, whatever became of the process.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from smallhold.agents import Agent, Config
from smallhold.generation import Prompt
from smallhold.messages import Role
from smallhold.state import State
from smallhold.testing import NATIVE, Calls, Entry, ScriptedRuntime, call
from smallhold.tools import RunContext, tool_from_function

SESSIONS: Final = 7
"""Conversations that the messages take turns in."""
WORK_S: Final = 0.004
"""How long each tool works before and after its effect: as long as a commit or two."""
ORDER: Final = re.compile(r"order (\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """A file that lines are only ever appended to."""

    path: Path

    def note(self, *words: str) -> None:
        """Append a line; it survives the process at once."""
        line = " ".join(words) + "\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def lines(self) -> tuple[tuple[str, ...], ...]:
        """Read all lines, as words."""
        if not self.path.exists():
            return ()
        return tuple(tuple(line.split()) for line in self.path.read_text("utf-8").splitlines())


def message_of(order: int) -> str:
    """Write what the user asks for."""
    return f"Charge order {order} and note it."


def session_of(order: int) -> str:
    """Say in which conversation an order is dealt with."""
    return f"till-{order % SESSIONS}"


def played(prompt: Prompt) -> Entry:
    """Decide as the model would: charge, then note, then answer; of every third order at once."""
    asked = max(place for place, message in enumerate(prompt.messages) if message.role is Role.USER)
    found = ORDER.search(prompt.messages[asked].content)
    number = found[1] if found else "0"
    results = sum(message.role is Role.TOOL for message in prompt.messages[asked:])
    charge, note = call("charge", order=number), call("note", order=number)
    match (int(number) % 3, results):
        case (0, 0):
            return Calls(calls=(charge, note))
        case (_, 0):
            return charge
        case (1, 1):
            return note
        case _:
            return f"Done with order {number}."


def shop_agent(state: State, effects: Ledger) -> Agent:
    """Make the agent: `charge` may happen once, `note` may be repeated under the same key."""

    def charge(context: RunContext[None], order: str) -> str:
        """Charge an order.

        Args:
            context: Whose run it is.
            order: Its number.
        """
        return worked("charge", context, order)

    def note(context: RunContext[None], order: str) -> str:
        """Note an order in the book.

        Args:
            context: Whose run it is.
            order: Its number.
        """
        return worked("note", context, order)

    def worked(name: str, context: RunContext[None], order: str) -> str:
        time.sleep(WORK_S)
        effects.note(name, order, context.call_id)
        time.sleep(WORK_S)
        return f"{name} {order} ok"

    return Agent(
        Config(name="till"),
        runtime=ScriptedRuntime(played, capabilities=NATIVE, context_tokens=100_000),
        tools=[tool_from_function(charge), tool_from_function(note, idempotent=True)],
        state=state,
    )
