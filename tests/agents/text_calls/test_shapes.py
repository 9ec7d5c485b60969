from __future__ import annotations

import json

import pytest

from smallhold.agents.text_calls.calls import Offered, TextCall
from smallhold.agents.text_calls.shapes import Place, calls_of, mended_arguments
from smallhold.messages import JsonValue


def only(calls: tuple[TextCall, ...] | None) -> TextCall:
    assert calls is not None
    assert len(calls) == 1
    return calls[0]


STATUS = TextCall(name="order_status", arguments={"order_id": "1042"})


@pytest.mark.parametrize("place", list(Place))
@pytest.mark.parametrize(
    "value",
    [
        {"name": "order_status", "arguments": {"order_id": "1042"}},
        {"name": "order_status", "parameters": {"order_id": "1042"}},
        {"name": "orderStatus", "arguments": {"order_id": "1042"}, "id": "7"},
        {"tool": "order_status", "tool_input": {"order_id": "1042"}},
        {"action": "order_status", "action_input": {"order_id": "1042"}},
        {"name": "order_status", "arguments": '{"order_id": "1042"}'},
        {"name": "order_status", "arguments": "{'order_id': '1042',}"},
        {
            "type": "function",
            "function": {"name": "order_status", "arguments": {"order_id": "1042"}},
        },
        {"tool_calls": [{"name": "order_status", "arguments": {"order_id": "1042"}}]},
        [{"name": "order_status", "arguments": {"order_id": "1042"}}],
        {"order_status": {"order_id": "1042"}},
    ],
)
def test_every_shape_of_a_call_is_read(offered: Offered, value: JsonValue, place: Place) -> None:
    assert calls_of(value, offered, place=place) == (STATUS,)


@pytest.mark.parametrize(
    "value",
    [
        1,
        "order_status",
        [],
        {},
        {"name": "Ada", "age": 36},
        {"name": "order_status"},
        {"name": "order_status", "order_id": "1042"},
        {"stock": {"lamp": 3}},
        {"order_status": "late"},
        [{"name": "order_status", "arguments": {}}, 1],
        {"tool_calls": []},
    ],
)
def test_other_json_in_prose_is_no_call(offered: Offered, value: JsonValue) -> None:
    assert calls_of(value, offered, place=Place.INSIDE) is None


def test_an_unknown_tool_is_a_call_where_a_call_is_meant_for_certain(offered: Offered) -> None:
    sing: JsonValue = {"name": "sing", "arguments": {"song": "la"}}
    call = only(calls_of(sing, offered, place=Place.FIRST))
    assert call.name == "sing"
    assert calls_of(sing, offered, place=Place.MARKED)
    assert calls_of(sing, offered, place=Place.INSIDE) is None
    assert calls_of(sing | {"note": 1}, offered, place=Place.FIRST) is None


def test_between_marks_a_name_alone_is_a_call(offered: Offered) -> None:
    assert calls_of({"name": "now"}, offered, place=Place.MARKED) == (
        TextCall(name="now", arguments={}),
    )
    flat: JsonValue = {"name": "order_status", "order_id": "1042"}
    assert calls_of(flat, offered, place=Place.MARKED) == (STATUS,)


def test_arguments_that_are_no_object_are_kept_as_they_were_written(offered: Offered) -> None:
    call = only(calls_of({"name": "stock", "arguments": "a lamp"}, offered, place=Place.INSIDE))
    assert call == TextCall(name="stock", arguments={}, raw_arguments="a lamp")
    call = only(calls_of({"name": "stock", "arguments": [1]}, offered, place=Place.INSIDE))
    assert call.raw_arguments == "[1]"


@pytest.mark.parametrize(
    "text", ['{"a": 1}', "{'a': 1,}", " {a: 1} \n", json.dumps({"a": 1}, indent=2)]
)
def test_arguments_that_are_almost_json_are_mended(text: str) -> None:
    assert mended_arguments(text) == {"a": 1}


def test_blank_arguments_are_none_and_half_ones_are_not_guessed() -> None:
    assert mended_arguments(" ") == {}
    for text in ('{"a": 1', "{a", "[1]", '{"a": 1} {"b": 2}', "a lamp"):
        assert mended_arguments(text) is None
