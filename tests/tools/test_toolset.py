"""Behaviour of the collection of tools."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import ToolDefinitionError
from smallhold.tools import MESSAGE_LIMIT_CHARS, ToolSet, UnknownTool, tool_from_function
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
