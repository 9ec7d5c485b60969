"""Promises of `smallhold.tools.a2a.description`: this file holds tests of what an agent says."""

from __future__ import annotations

from smallhold.tools import tool
from smallhold.tools.a2a import describe_agent


@tool(examples=("Where is order 1042?",))
def order_status(order_id: str) -> str:
    """Look up an order."""
    return order_id


def test_tools_are_skills_with_their_examples() -> None:
    described = describe_agent("desk", about=("orders",), tools=[order_status], version="1")
    skill = described.skills[1]
    assert (skill.id, skill.name, skill.description) == (
        "order_status", "order status", "Look up an order.",
    )  # fmt: skip
    assert skill.examples == ("Where is order 1042?",)
    assert described.skills[0].description == "orders"


def test_the_first_text_that_there_is_says_what_an_agent_is_for() -> None:
    described = describe_agent("desk", about=(None, "  ", "orders"), tools=[], version="1")
    assert described.description == "orders"
    assert describe_agent("desk", about=(None,), tools=[], version="1").description
