"""What can be served to other programs: this file holds the protocol that an agent conforms to."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from smallhold.messages import Event
from smallhold.tools.toolset import ToolSet


class Answerer(Protocol):
    """Something that answers messages, such as an `Agent`; tools know nothing of agents."""

    @property
    def tools(self) -> ToolSet:
        """Its tools."""
        ...

    async def chat_async(self, text: str, *, session: str | None = None) -> str:
        """Answer a message.

        Raises:
            SmallholdError: There is no answer.
        """
        ...

    def stream(self, text: str, *, session: str | None = None) -> AsyncGenerator[Event]:
        """Answer a message, handing out events; the last is a `DoneEvent` or an `ErrorEvent`."""
        ...
