"""Behaviour of the collection of tools."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import ToolDefinitionError
from smallhold.tools import (
    MESSAGE_LIMIT_CHARS,
    InvalidArguments,
    ToolSet,
    UnknownTool,
    tool_from_function,
)
from smallhold.tools.toolset import near_names


def order_status(order_id: str) -> str:
    """Look up an order."""
    return order_id


def get_weather(city: str) -> str:
    """Tell the weather."""
    return city


def test_tools_keep_the_order_in_which_they_were_added() -> None:
    tools = ToolSet([order_status])
    tools.add(get_weather)
    assert tools.names == ("order_status", "get_weather")
    assert [schema.name for schema in tools.schemas] == ["order_status", "get_weather"]
    assert [tool.name for tool in tools] == ["order_status", "get_weather"]
    assert len(tools) == 2


def test_a_tool_is_found_by_its_name() -> None:
    weather = tool_from_function(get_weather)
    tools = ToolSet([order_status, weather])
    assert tools.find("get_weather") is weather
    assert "get_weather" in tools


def test_adding_hands_back_the_tool() -> None:
    assert ToolSet().add(get_weather).name == "get_weather"


def test_a_name_can_be_taken_only_once() -> None:
    tools = ToolSet([get_weather])
    with pytest.raises(ToolDefinitionError, match="same name"):
        tools.add(tool_from_function(order_status, name="get_weather"))
    assert len(tools) == 1


def test_a_tool_can_be_added_while_others_are_gone_through() -> None:
    tools = ToolSet([get_weather])
    assert [tools.add(order_status).name for _ in tools] == ["order_status"]


def test_an_unknown_name_is_answered_with_near_ones() -> None:
    missing = ToolSet([order_status, get_weather]).find("getWeather")
    assert isinstance(missing, UnknownTool)
    assert missing.near == ("get_weather",)
    assert missing.known == ("order_status", "get_weather")
    assert missing.message == (
        "there is no tool `getWeather`. Did you mean `get_weather`? "
        "Tools: order_status, get_weather"
    )


def test_an_unknown_name_like_no_other_is_answered_with_all_names() -> None:
    missing = ToolSet([order_status]).find("zzz")
    assert isinstance(missing, UnknownTool)
    assert missing.near == ()
    assert missing.message == "there is no tool `zzz`. Tools: order_status"


def test_an_empty_set_says_that_it_is_empty() -> None:
    missing = ToolSet().find("x")
    assert isinstance(missing, UnknownTool)
    assert missing.message == "there is no tool `x`. Tools: none"


@pytest.mark.parametrize("written", ["GET_WEATHER", "get weather", "functions.get_weather"])
def test_case_and_separators_do_not_hide_a_near_name(written: str) -> None:
    assert near_names(written, ["order_status", "get_weather"]) == ("get_weather",)


@given(st.text(max_size=2_000), st.lists(st.text(max_size=64), max_size=30))
def test_near_names_are_known_ones_and_the_message_stays_short(name: str, known: list[str]) -> None:
    near = near_names(name, known)
    assert set(near) <= set(known)
    message = UnknownTool(name=name, near=near, known=tuple(known)).message
    assert len(message) <= MESSAGE_LIMIT_CHARS


def test_a_tool_that_changes_its_schema_keeps_its_place() -> None:
    def find(place: str, days: int) -> str:
        """Find for several days."""
        return place * days

    tools = ToolSet([order_status, get_weather])
    assert tools.replace(tool_from_function(find, name="order_status")).schema.description == (
        "Find for several days."
    )
    assert tools.names == ("order_status", "get_weather")
    found = tools.find("order_status")
    assert not isinstance(found, UnknownTool)
    assert isinstance(found.validate({"order_id": "7"}), InvalidArguments)


def test_a_tool_that_was_removed_is_unknown() -> None:
    tools = ToolSet([order_status, get_weather])
    assert tools.remove("order_status").name == "order_status"
    assert isinstance(tools.find("order_status"), UnknownTool)
    assert tools.names == ("get_weather",)


def test_a_tool_that_is_not_there_can_neither_be_replaced_nor_removed() -> None:
    tools = ToolSet([order_status])
    with pytest.raises(ToolDefinitionError, match="It has order_status"):
        tools.replace(get_weather)
    with pytest.raises(ToolDefinitionError, match="no tool of this name"):
        tools.remove("get_weather")


def test_five_hundred_tools_are_found_by_name() -> None:
    def act(number: int) -> int:
        """Act."""
        return number

    tools = ToolSet(tool_from_function(act, name=f"act_{number}") for number in range(500))
    assert len(tools.schemas) == 500
    found = tools.find("act_499")
    assert not isinstance(found, UnknownTool)
    unknown = tools.find("act_500")
    assert isinstance(unknown, UnknownTool)
    assert len(unknown.message) <= MESSAGE_LIMIT_CHARS
