from __future__ import annotations

import pytest

from smallhold.agents.text_calls.bodies import begun_name, is_begun_json_call, read_body, read_json
from smallhold.agents.text_calls.calls import BrokenCall, Found, Look, Offered
from smallhold.agents.text_calls.shapes import Place


@pytest.mark.parametrize(
    "body",
    [
        '{"name": "order_status", "arguments": {"order_id": "1042"}}',
        '\n```json\n{"name": "order_status", "arguments": {"order_id": "1042"}}\n```',
        'order_status(order_id="1042")',
        "[order_status(order_id='1042')]",
        'order_status[ARGS]{"order_id": "1042"}',
        'order_status[CALL_ID]a1b2[ARGS]{"order_id": "1042"}',
        'order_status\n{"order_id": "1042"}',
        '<function=order_status>{"order_id": "1042"}</function>',
    ],
)
def test_every_body_of_a_marked_call_is_read(offered: Offered, body: str) -> None:
    match = read_body(body, 0, offered)
    assert isinstance(match, Found)
    (call,) = match.calls
    assert (call.name, call.arguments) == ("order_status", {"order_id": "1042"})


@pytest.mark.parametrize("body", ["", " ", '{"name": "order_st', "order_status(", "[now(", "now["])
def test_a_body_that_ends_too_early_is_told_apart(offered: Offered, body: str) -> None:
    match = read_body(body, 0, offered)
    assert match is Look.MORE or body == "now["


@pytest.mark.parametrize("body", ["I will look it up", '{"a": 1}', "{return}", "[1, 2]", "*"])
def test_a_body_that_is_no_call_is_broken(offered: Offered, body: str) -> None:
    assert read_body(body, 0, offered) == BrokenCall(written=body, is_cut=False)


def test_json_that_is_no_call_is_passed_over_as_a_whole(offered: Offered) -> None:
    text = '{"example": {"name": "now", "arguments": {}}} is how'
    match = read_json(text, 0, offered, place=Place.FIRST)
    assert match == Found(calls=(), end=text.index(" is"))
    assert read_json("{x", 0, offered, place=Place.FIRST) is Look.MORE
    assert read_json("{x y", 0, offered, place=Place.FIRST) is Look.NOTHING


@pytest.mark.parametrize(
    ("text", "is_call"),
    [
        ('{"na', True),
        ('{"name": "order_', True),
        ('{"name": "stock", "arguments": {"pro', True),
        ('[{"name": "stock"', True),
        ('{"stock": {"product', True),
        ('{"name": "Ad', False),
        ('{"age": 3', False),
        ('{"', False),
        ("{", False),
        ('{"name": "now", "arguments": {}}', False),
        ("no json", False),
    ],
)
def test_a_call_that_was_cut_is_known_by_its_beginning(
    offered: Offered,
    text: str,
    is_call: bool,  # noqa: FBT001 - pytest gives it
) -> None:
    assert is_begun_json_call(text, 0, offered) is is_call


def test_the_tool_of_a_broken_call_is_the_first_that_it_names(offered: Offered) -> None:
    assert begun_name("<tool_call>call stock now", offered) == "stock"
    assert begun_name("<tool_call>hm", offered) is None
