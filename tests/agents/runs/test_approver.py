from __future__ import annotations

from smallhold.agents.runs import Approver, NoApprover
from smallhold.messages import ToolCall
from smallhold.tools import tool_from_function


def pay() -> str:
    """Pay."""
    return "paid"


async def test_without_a_place_to_wait_nobody_is_asked() -> None:
    nobody: Approver = NoApprover()
    call = ToolCall(id="1", name="pay", arguments={})
    assert await nobody.ask(call, tool_from_function(pay), why="") is None
