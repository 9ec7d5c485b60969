"""One connection to an MCP server: this file holds its protocol, requests and answers included."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

import anyio

from smallhold.messages import JsonObject


class Method(StrEnum):
    """What a client asks of a server. Source: MCP specification 2025-11-25, schema."""

    LIST_TOOLS = "tools/list"
    CALL_TOOL = "tools/call"
    LIST_RESOURCES = "resources/list"
    LIST_TEMPLATES = "resources/templates/list"
    READ_RESOURCE = "resources/read"
    LIST_PROMPTS = "prompts/list"
    GET_PROMPT = "prompts/get"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A request without an answer: the connection ended."""

    problem: str
    was_sent: bool
    """Whether the server may have read it."""


Answer: TypeAlias = JsonObject | Lost


class Session(Protocol):
    """A connection that is open, or was."""

    @property
    def closed(self) -> anyio.Event:
        """Set when the connection has ended."""
        ...

    @property
    def methods(self) -> frozenset[Method]:
        """What the server says that it can be asked."""
        ...

    @property
    def instructions(self) -> str:
        """What the server says about itself: foreign text."""
        ...

    async def ask(self, method: Method, params: JsonObject) -> Answer:
        """Send a request and wait for its answer.

        Raises:
            PeerRefusalError: The server answered with an error.
            PeerFaultError: Its answer breaks the protocol, or a limit.
        """
        ...
