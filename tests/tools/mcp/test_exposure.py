"""Promises of `smallhold.tools.mcp.exposure`: this file holds tests of what others may use."""

from __future__ import annotations

from smallhold.tools import RunContext, ToolSet, tool
from smallhold.tools.mcp.exposure import exposure_of, session_name


@tool
def find(text: str) -> str:
    """Find."""
    return text


@tool(requires_approval=True)
def pay(amount: int) -> str:
    """Pay."""
    return str(amount)


@tool
def mine(context: RunContext[str]) -> str:
    """List what is mine."""
    return context.value


@tool
def session(context: RunContext[None]) -> str:
    """Tell the session."""
    return str(context.session)


@tool
def ask(text: str) -> str:
    """Ask somebody else."""
    return text


def test_tools_that_nobody_could_approve_or_that_need_a_customer_are_left_out() -> None:
    exposed = exposure_of(ToolSet([find, pay, mine, session]), agent="desk")
    assert [each.name for each in exposed.tools] == ["find", "session"]
    assert [each.name for each in exposed.left_out] == ["pay", "mine"]
    assert exposed.tool("find") is find
    assert exposed.tool("pay") is None


def test_an_agents_own_tool_keeps_the_name_ask() -> None:
    assert exposure_of(ToolSet([find]), agent="desk").ask.name == "ask"
    assert exposure_of(ToolSet([ask]), agent="desk").ask.name == "ask_agent"


def test_an_agent_may_be_served_without_its_tools() -> None:
    exposed = exposure_of(ToolSet([find, ask]), agent="desk", only_ask=True)
    assert exposed.tools == ()
    assert exposed.ask.name == "ask"


def test_sessions_of_others_are_their_own() -> None:
    assert session_name("kiosk-7") == "mcp-kiosk-7"
    assert session_name(None) is None
