"""A conversation on the screen: this file holds how an agent's events are shown."""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Protocol

from rich.console import Console
from rich.text import Text

from smallhold.agents import Agent
from smallhold.cli.terminal import foreign, one_line
from smallhold.exceptions import ModelOutputError
from smallhold.messages import (
    DoneEvent,
    ErrorEvent,
    Event,
    TokenEvent,
    ToolCall,
    ToolCallEvent,
    ToolResultEvent,
)

_CALL_CHARS: Final = 200
_RESULT_CHARS: Final = 300
"""What a result's line shows of it; the model reads the whole."""


class Listener(Protocol):
    """Whoever is shown an agent's events."""

    def show(self, event: Event) -> None:
        """Take one event."""
        ...

    def finish_line(self) -> None:
        """The events have ended, perhaps in the middle of a line."""
        ...


@dataclass(slots=True)
class Transcript:
    """Writes events as they happen: the answer's text to `answer`, calls and results to `notes`."""

    answer: Console
    notes: Console
    in_answer: bool = False
    """Whether the answer's line is still open."""

    def show(self, event: Event) -> None:
        """Show one event."""
        match event:
            case TokenEvent(text=text):
                self.in_answer = True
                self.answer.print(foreign(text), end="", soft_wrap=True)
            case ToolCallEvent(call=call):
                self.finish_line()
                self.notes.print(call_line(call), soft_wrap=True)
            case ToolResultEvent():
                self.notes.print(result_line(event), soft_wrap=True)
            case DoneEvent(notes=notes):
                self.finish_line()
                for note in notes:
                    self.notes.print(note_line(note), soft_wrap=True)
            case ErrorEvent():
                self.finish_line()

    def finish_line(self) -> None:
        """End the answer's line if it is open."""
        if self.in_answer:
            self.in_answer = False
            self.answer.print()


def call_line(call: ToolCall) -> Text:
    """Write a call as one line: `→ order_status(order_id="1042")`."""
    arguments = ", ".join(
        f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in call.arguments.items()
    )
    return foreign(
        "  → " + one_line(f"{call.name}({arguments})", limit_chars=_CALL_CHARS), style="cyan"
    )


def result_line(event: ToolResultEvent) -> Text:
    """Write a result as one line, shortened."""
    text = one_line(event.content, limit_chars=_RESULT_CHARS)
    return foreign(f"  ← {text}", style="red" if event.is_error else "dim")


def note_line(note: str) -> Text:
    """Write what the text does not say as one line."""
    return foreign(f"  · {one_line(note, limit_chars=_RESULT_CHARS)}", style="dim")


async def answer_aloud(
    agent: Agent, text: str, *, listener: Listener, session: str | None = None
) -> DoneEvent:
    """Answer a message and show it while it happens.

    Raises:
        InvalidMessageError: the message is empty or far too long.
        SmallholdError: the run failed.
    """
    try:
        async with aclosing(agent.stream(text, session=session)) as events:
            async for event in events:
                listener.show(event)
                if isinstance(event, DoneEvent):
                    return event
                if isinstance(event, ErrorEvent):
                    raise event.error
    finally:
        listener.finish_line()
    raise ModelOutputError(runtime=agent.runtime.name, problem="a run without an end")
