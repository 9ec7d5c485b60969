"""Promises of `smallhold.tools.mcp.resource_tools`: this file holds tests of resources as tools."""

from __future__ import annotations

from smallhold.messages import JsonObject
from smallhold.tools.mcp.offered_tools import make_tools
from smallhold.tools.mcp.reading import Resource
from smallhold.tools.mcp.resource_tools import resource_blueprints, resource_listing
from smallhold.tools.mcp.settings import MCPOptions


async def nothing(arguments: JsonObject, key: str) -> str:
    return f"{arguments}{key}"


def test_resources_are_listed_a_line_each_with_the_address_first() -> None:
    listing = resource_listing([
        Resource(uri="shop://hours", name="hours", description="When\nwe are open."),
        Resource(uri="shop://{id}", name=""),
    ])
    assert listing == "shop://hours (hours: When we are open.)\nshop://{id}"


def test_an_empty_server_says_so() -> None:
    assert resource_listing([]) == "There is nothing to read."


def test_the_two_tools_read_and_may_be_repeated() -> None:
    plans = resource_blueprints(list_all=nothing, read=nothing)
    tools = make_tools(plans, options=MCPOptions()).tools
    assert [tool.name for tool in tools] == ["list_resources", "read_resource"]
    assert all(tool.idempotent and not tool.may_require_approval for tool in tools)
