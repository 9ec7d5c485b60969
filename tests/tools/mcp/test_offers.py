"""Promises of `smallhold.tools.mcp.offers`: this file holds tests of how listings compare."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from smallhold.messages import JsonObject
from smallhold.tools.mcp.offers import (
    Changes,
    Listing,
    OfferedPrompt,
    OfferedTool,
    differences,
    settled,
)


def tool(name: str, description: str = "", **properties: str) -> OfferedTool:
    schema: JsonObject = {
        "type": "object",
        "properties": {key: {"type": kind} for key, kind in properties.items()},
    }
    return OfferedTool(name=name, description=description, input_schema=schema)


LISTING = Listing(tools=(tool("b", one="string", two="integer"), tool("a")))


def test_a_listing_is_ordered_by_name() -> None:
    assert [each.name for each in settled(LISTING).tools] == ["a", "b"]


@given(st.permutations([tool("b", two="integer", one="string"), tool("a")]))
def test_the_order_in_which_a_server_lists_changes_nothing(tools: list[OfferedTool]) -> None:
    known = settled(LISTING)
    again = settled(Listing(tools=tuple(tools)), known=known)
    assert json.dumps([each.input_schema for each in again.tools]) == json.dumps([
        each.input_schema for each in known.tools
    ])
    assert not differences(known, again)


def test_what_is_new_gone_and_changed_is_named() -> None:
    new = Listing(
        tools=(tool("a", "says more now"), tool("c")), prompts=(OfferedPrompt(name="hello"),)
    )
    assert differences(LISTING, new) == Changes(
        added=("c", "hello"), removed=("b",), changed=("a",)
    )


def test_of_two_tools_with_one_name_the_first_is_meant() -> None:
    twice = Listing(tools=(tool("a", "first"), tool("a", "second")))
    assert [each.description for each in settled(twice).tools] == ["first"]


def test_a_tool_is_found_by_its_servers_name() -> None:
    assert LISTING.tool("b") is LISTING.tools[0]
    assert LISTING.tool("z") is None
