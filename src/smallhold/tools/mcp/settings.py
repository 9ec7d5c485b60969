"""What a client of MCP servers takes and how it behaves: this file holds its settings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from smallhold.exceptions import ConfigError
from smallhold.tools.definition import TOOL_TIMEOUT_S
from smallhold.tools.mcp.hints import Approval
from smallhold.tools.mcp.offers import OnChanges


class WhenChanged(StrEnum):
    """When tools that a server has changed are shown to a model."""

    AT_START = "at_start"
    """When this program starts the next time, or `apply_changes` is called."""
    ON_REQUEST = "on_request"
    """Only when `apply_changes` is called, or by `smallhold mcp tools --accept`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MCPLimits:
    """What a server may cost.

    Raises:
        ConfigError: A limit is not above 0.
    """

    connect_s: float = 30.0
    """How long a server may take to start and to say what it offers. Servers that are started
    through a package runner fetch themselves first."""
    call_s: float = TOOL_TIMEOUT_S
    """How long a call may take, the wait for a connection included."""
    message_bytes: int = 4 * 1024 * 1024
    """Longest message from a server: 500 times what a model is given of a result."""
    offers: int = 500
    """Most tools of one server; also most of its prompts, and of its resources."""
    description_chars: int = 1_000
    """Longest description of a tool that a model is shown; the rest is cut. About 250 tokens, paid
    for on every turn."""

    def __post_init__(self) -> None:
        """Check that every limit leaves something."""
        for name in type(self).__dataclass_fields__:
            if not getattr(self, name) > 0:
                raise ConfigError(field=name, value=getattr(self, name), remedy="give more than 0")


DEFAULT_LIMITS: Final = MCPLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class MCPOptions:
    """How a server's offers become tools of an agent."""

    prefix: str = ""
    """Put before every tool's name, such as `shop_`, to tell servers with the same tools apart."""
    approval: Approval = Approval.DESTRUCTIVE
    when_changed: WhenChanged = WhenChanged.AT_START
    resources_as_tools: bool = False
    """Offer `list_resources` and `read_resource` as tools too."""
    prompts_as_tools: bool = False
    """Offer each of the server's prompts as a tool too."""
    limits: MCPLimits = DEFAULT_LIMITS
    is_remembered: bool = True
    """Keep what the server offers in a file, so that it is known at the next start."""
    cache_folder: Path | None = None
    """Where; by default `mcp` in the cache folder of `smallhold.settings`."""
    on_changes: OnChanges | None = None
    """Called when the server has changed what it offers, from another thread; raises nothing."""
