from __future__ import annotations

import pytest

from smallhold.agents.text_calls.calls import Found, Look, Offered, TextCall
from smallhold.agents.text_calls.python_calls import (
    is_begun_python_call,
    read_python_call,
    read_python_calls,
)


def test_a_list_of_calls_is_read(offered: Offered) -> None:
    text = "[order_status(order_id='1042'), stock(product=\"lamp\", least=2), now()] done"
    match = read_python_calls(text, 0, offered)
    assert match == Found(
        calls=(
            TextCall(name="order_status", arguments={"order_id": "1042"}),
            TextCall(name="stock", arguments={"product": "lamp", "least": 2}),
            TextCall(name="now", arguments={}),
        ),
        end=text.index("]") + 1,
    )


def test_arguments_by_place_get_the_names_of_the_parameters(offered: Offered) -> None:
    match = read_python_call("stock('lamp', least=2)", 0, offered, takes_unknown=False)
    assert isinstance(match, Found)
    assert match.calls[0].arguments == {"product": "lamp", "least": 2}


def test_a_value_too_many_keeps_its_number_so_that_it_is_told_as_unknown(offered: Offered) -> None:
    match = read_python_call("order_status('1', '2')", 0, offered, takes_unknown=False)
    assert isinstance(match, Found)
    assert match.calls[0].arguments == {"order_id": "1", "1": "2"}


def test_a_printed_call_is_the_call(offered: Offered) -> None:
    match = read_python_call("print(now())", 0, offered, takes_unknown=True)
    assert isinstance(match, Found)
    assert match.calls[0].name == "now"


@pytest.mark.parametrize("text", ["ord", "stock(", "stock(product='la", "stock(product"])
def test_the_beginning_of_a_call_may_become_one(offered: Offered, text: str) -> None:
    assert read_python_call(text, 0, offered, takes_unknown=False) is Look.MORE


@pytest.mark.parametrize(
    "text", ["stock is low", "order", "sing(song='la')", "stock (3)", "stock(x.y)", "(1)"]
)
def test_prose_and_other_functions_are_no_call(offered: Offered, text: str) -> None:
    match = read_python_call(text + " ", 0, offered, takes_unknown=False)
    assert match is Look.NOTHING


@pytest.mark.parametrize("text", ["[link](to)", "[now() and more]", "[x]"])
def test_brackets_around_other_things_are_no_calls(offered: Offered, text: str) -> None:
    assert read_python_calls(text, 0, offered) is Look.NOTHING
    assert read_python_calls("[now(", 0, offered) is Look.MORE


def test_a_python_call_that_was_cut_is_known_by_its_beginning(offered: Offered) -> None:
    assert is_begun_python_call("[stock(product='la", 0, offered)
    assert is_begun_python_call("now(", 0, offered)
    assert not is_begun_python_call("[sing(", 0, offered)
    assert not is_begun_python_call("[stock", 0, offered)
