"""What a server says of a tool's effects: this file holds the hints and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never


class Approval(StrEnum):
    """Which of a server's tools ask a person first.

    What a server says of its tools are hints: of a server that you do not trust, use `ALWAYS` or
    `UNLESS_READ_ONLY` with tools that you have looked at.
    """

    NEVER = "never"
    DESTRUCTIVE = "destructive"
    """Those that say that they destroy something."""
    UNLESS_READ_ONLY = "unless_read_only"
    """All that do not say that they only read; the reading of the MCP specification, by which a
    tool without hints may destroy something."""
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolHints:
    """The annotations of one tool: claims of its server, which may be wrong or lies.

    Source: MCP specification 2025-11-25, schema, `ToolAnnotations`.
    """

    read_only: bool = False
    destructive: bool | None = None
    """`None` where the server does not say."""
    idempotent: bool = False
    open_world: bool | None = None
    """Whether it reaches beyond a closed domain, such as the web; `None` where it is not said."""

    @property
    def may_repeat(self) -> bool:
        """Whether a call that may have been done may be made again."""
        return self.read_only or self.idempotent


NO_HINTS: Final = ToolHints()
"""What a server says that says nothing."""


def needs_approval(hints: ToolHints, *, approval: Approval) -> bool:
    """Tell whether a person should be asked before a tool runs."""
    match approval:
        case Approval.NEVER:
            return False
        case Approval.DESTRUCTIVE:
            # A tool that only reads destroys nothing, whatever else is said of it.
            return hints.destructive is True and not hints.read_only
        case Approval.UNLESS_READ_ONLY:
            return not hints.read_only
        case Approval.ALWAYS:
            return True
        case _:
            assert_never(approval)


def is_riskier(hints: ToolHints, *, than: ToolHints) -> bool:
    """Tell whether a tool now claims less safety than when it was shown."""
    return (
        (than.read_only and not hints.read_only)
        or (than.idempotent and not hints.idempotent)
        or (hints.destructive is True and than.destructive is not True)
    )
