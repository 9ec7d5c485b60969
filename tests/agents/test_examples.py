from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents import Example
from smallhold.agents.decision import NO_TOOL_NAME
from smallhold.agents.examples import check_examples, decision_view, example_messages
from smallhold.exceptions import ConfigError
from smallhold.messages import Message, Role, ToolCall

STATUS = Example(
    text="Where is 1042?", tool="order_status", arguments={"order_id": "1042"}, result="sent"
)
GREETING = Example(text="Good morning")
CALL = ToolCall(id="1", name="order_status", arguments={"order_id": "7"})
TALK = (
    Message(role=Role.USER, content="Where is 7?"),
    Message(role=Role.ASSISTANT, content="", tool_calls=(CALL,)),
    Message(role=Role.TOOL, content="sent", tool_call_id="1"),
    Message(role=Role.ASSISTANT, content="It was sent."),
    Message(role=Role.USER, content="Thanks"),
)
MESSAGES = st.builds(
    Message,
    role=st.sampled_from([Role.USER, Role.ASSISTANT, Role.TOOL]),
    content=st.text(max_size=5),
    tool_calls=st.sampled_from([(), (CALL,)]),
)


def shape(messages: tuple[Message, ...]) -> list[str]:
    return [
        message.tool_calls[0].name if message.tool_calls else f"{message.role}: {message.content}"
        for message in messages
    ]


def test_an_example_of_a_call_shows_the_call_its_result_and_that_nothing_follows() -> None:
    shown = example_messages([STATUS])
    assert shape(shown) == ["user: Where is 1042?", "order_status", "tool: sent", NO_TOOL_NAME]
    assert shown[1].tool_calls[0].arguments == {"order_id": "1042"}
    assert shown[2].tool_call_id == shown[1].tool_calls[0].id


def test_an_example_without_a_tool_shows_that_none_is_called() -> None:
    assert shape(example_messages([GREETING])) == ["user: Good morning", NO_TOOL_NAME]


def test_examples_are_shown_in_their_order_and_always_the_same() -> None:
    shown = example_messages([STATUS, GREETING])
    assert shown == example_messages((STATUS, GREETING))
    assert repr(shown) == repr(example_messages((STATUS, GREETING)))
    assert shown[: len(example_messages([STATUS]))] == example_messages([STATUS])


def test_every_call_of_the_examples_has_an_id_of_its_own() -> None:
    shown = example_messages([STATUS, GREETING, STATUS])
    ids = [call.id for message in shown for call in message.tool_calls]
    assert len(set(ids)) == len(ids) == 5


def test_an_example_of_an_unknown_tool_is_refused_with_the_tools_there_are() -> None:
    with pytest.raises(ConfigError) as caught:
        check_examples([GREETING, STATUS], ["find", "pay"])
    assert (caught.value.field, caught.value.value) == ("examples", "order_status")
    assert "find, pay" in caught.value.remedy


def test_examples_of_known_tools_and_of_none_are_taken() -> None:
    check_examples([STATUS, GREETING], ["order_status"])
    check_examples([GREETING], [])


def test_a_decision_sees_before_each_answer_that_no_tool_was_called() -> None:
    assert shape(tuple(decision_view(TALK))) == [
        "user: Where is 7?",
        "order_status",
        "tool: sent",
        NO_TOOL_NAME,
        "assistant: It was sent.",
        "user: Thanks",
    ]


@given(st.lists(MESSAGES, max_size=8), st.lists(MESSAGES, max_size=4))
def test_a_longer_conversation_is_shown_as_the_shorter_one_and_more(
    earlier: list[Message], later: list[Message]
) -> None:
    short = list(decision_view(earlier))
    assert list(decision_view([*earlier, *later]))[: len(short)] == short


@given(st.lists(MESSAGES, max_size=8))
def test_nothing_of_a_conversation_is_lost_or_moved(conversation: list[Message]) -> None:
    shown = [
        message
        for message in decision_view(conversation)
        if not any(call.name == NO_TOOL_NAME for call in message.tool_calls)
    ]
    assert shown == conversation
