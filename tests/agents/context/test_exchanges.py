from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.agents.context.conversations import answer, called, user

from smallhold.agents.context.exchanges import (
    result_places,
    split_exchanges,
    title,
    with_content,
)
from smallhold.messages import Message, Role

MESSAGES = st.lists(st.sampled_from([user("a"), answer("b"), *called("look", "c")]), max_size=12)


def test_an_exchange_is_a_message_of_the_user_with_all_that_follows_from_it() -> None:
    first = (user("Where is it?"), *called("look", "here"), answer("Here."))
    second = (user("Thanks."), answer("Goodbye."))
    assert split_exchanges([*first, *second]) == (first, second)


def test_what_comes_before_the_first_message_of_the_user_stands_alone() -> None:
    assert split_exchanges([answer("Welcome!"), user("Hello.")]) == (
        (answer("Welcome!"),),
        (user("Hello."),),
    )


def test_an_empty_conversation_has_no_exchanges() -> None:
    assert split_exchanges([]) == ()


@given(messages=MESSAGES)
def test_exchanges_in_a_row_are_the_conversation(messages: list[Message]) -> None:
    exchanges = split_exchanges(messages)
    assert [message for exchange in exchanges for message in exchange] == messages
    assert all(exchanges)


@given(messages=MESSAGES)
def test_no_exchange_has_a_second_message_of_the_user(messages: list[Message]) -> None:
    for exchange in split_exchanges(messages):
        assert all(message.role is not Role.USER for message in exchange[1:])


def test_a_result_belongs_to_the_call_before_it_though_ids_come_again() -> None:
    messages = (
        *called("look", "one", call_id="call_1"),
        user("And then?"),
        *called("count", "two", call_id="call_1"),
    )
    places = result_places(messages)
    assert [(place.index, place.tool) for place in places] == [(1, "look"), (4, "count")]


def test_a_result_without_a_call_has_no_tools_name() -> None:
    stray = Message(role=Role.TOOL, content="?", tool_call_id="gone")
    assert [place.tool for place in result_places([stray])] == ["a tool"]


def test_one_content_is_replaced_and_all_else_stays() -> None:
    exchange = (user("a"), *called("look", "b"), answer("c"))
    changed = with_content(exchange, 2, "short")
    assert changed[2].content == "short"
    assert changed[2].tool_call_id == exchange[2].tool_call_id
    assert (*changed[:2], *changed[3:]) == (*exchange[:2], *exchange[3:])


def test_a_title_is_one_short_line() -> None:
    assert title((user("Where is\n  it?"),)) == "Where is it?"
    assert title((user("word " * 50),)).endswith("…")
    assert len(title((user("word " * 50),))) < 60
