from __future__ import annotations

import pytest

from smallhold.agents.text_calls.calls import Found, Look, Offered
from smallhold.agents.text_calls.elements import read_elements


@pytest.mark.parametrize(
    "text",
    [
        '<function=order_status>{"order_id": "1042"}</function>',
        "<function=order_status>\n<parameter=order_id>\n1042\n</parameter>\n</function>",
        '<invoke name="order_status"><parameter name="order_id">1042</parameter></invoke>',
        '<function name="order_status"><param name="order_id">1042</param></function>',
        '<name>order_status</name>\n<arguments>{"order_id": "1042"}</arguments>',
    ],
)
def test_calls_as_elements_are_read(offered: Offered, text: str) -> None:
    match = read_elements(text + " and more", 0, offered)
    assert isinstance(match, Found)
    assert match.end == len(text)
    (call,) = match.calls
    assert (call.name, call.arguments) == ("order_status", {"order_id": "1042"})


def test_lists_and_objects_in_elements_are_read_as_such(offered: Offered) -> None:
    text = "<function=stock><parameter=product>[1, 2]</parameter></function>"
    match = read_elements(text, 0, offered)
    assert isinstance(match, Found)
    assert match.calls[0].arguments == {"product": [1, 2]}


def test_an_element_without_content_is_a_call_without_arguments(offered: Offered) -> None:
    match = read_elements("<function=now></function>", 0, offered)
    assert isinstance(match, Found)
    assert match.calls[0].arguments == {}


def test_an_element_that_is_open_needs_more_text_and_other_text_is_none(offered: Offered) -> None:
    for text in ("<function=now>", "<function=no", "<name>now</name>", "<", "<na"):
        assert read_elements(text, 0, offered) is Look.MORE
    assert read_elements("< 3", 0, offered) is Look.NOTHING
