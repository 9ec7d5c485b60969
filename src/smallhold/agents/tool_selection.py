"""Which tools are offered: this file holds the choice among many.

A small model reads a handful of tools well and hundreds not at all, and each costs prompt tokens on
every decision. So above a limit only those are offered that look likely for the user's message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from smallhold.messages import Message, Role, ToolSchema
from smallhold.runtimes.protocol import Embedder
from smallhold.tools import AnyTool, ToolSet
from smallhold.tools.retrieval import ToolRetriever

DEFAULT_TOOL_LIMIT: Final = 8
"""Tools that are offered at most, unless the settings say otherwise."""


def no_embedder() -> None:
    """Find no embedder: tools are then found by their words alone."""


@dataclass(slots=True, kw_only=True)
class ToolSelection:
    """Chooses tools for messages."""

    tools: ToolSet
    limit: int = DEFAULT_TOOL_LIMIT
    find_embedder: Callable[[], Embedder | None] = no_embedder
    """Gives what compares meanings; called when there are more tools than the limit."""
    known: tuple[AnyTool, ...] = ()
    """The tools that the retriever has been given."""
    retriever: ToolRetriever = field(default_factory=ToolRetriever)

    async def offered(self, conversation: Sequence[Message]) -> tuple[ToolSchema, ...]:
        """Choose the tools to offer for the user's last message, in the order of the tool set.

        Tools that were called in the conversation stay on offer, beyond the limit if need be.
        """
        if len(self.tools) <= self.limit:
            return self.tools.schemas
        self._learn()
        asked = next(m for m in reversed(conversation) if m.role is Role.USER)
        found = await self.retriever.retrieve(asked.content, limit=self.limit)
        called = {call.name for message in conversation for call in message.tool_calls}
        chosen = {tool.name for tool in found} | called
        return tuple(schema for schema in self.tools.schemas if schema.name in chosen)

    def _learn(self) -> None:
        """Tell the retriever of new tools; one that is gone or changed needs a new retriever."""
        now = tuple(self.tools)
        if not self.known or now[: len(self.known)] != self.known:
            self.retriever, self.known = ToolRetriever(embedder=self.find_embedder()), ()
        for tool in now[len(self.known) :]:
            self.retriever.add(tool)
        self.known = now
