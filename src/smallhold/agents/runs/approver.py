"""Who is asked for a yes: this file holds the protocol of approvals, as a turn sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from smallhold.messages import ToolCall
from smallhold.tools import AnyTool

if TYPE_CHECKING:
    from smallhold.state.approvals import Approval


class Approver(Protocol):
    """Asks a person to approve calls."""

    async def ask(self, call: ToolCall, tool: AnyTool, *, why: str) -> Approval | None:
        """Ask, or look up what was decided; asking again asks nobody twice.

        Returns:
            Where the request stands; `None` if nobody can be asked.
        """
        ...


class NoApprover:
    """Nobody: there is no place where a request could wait."""

    async def ask(self, call: ToolCall, tool: AnyTool, *, why: str) -> Approval | None:
        """Ask nobody."""
        del call, tool, why
