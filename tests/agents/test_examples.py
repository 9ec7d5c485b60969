from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents import Example
from smallhold.agents.examples import check_examples, example_messages
from smallhold.agents.special_calls import ANSWER_NAME, RESERVED_NAMES
from smallhold.exceptions import ConfigError
from smallhold.messages import Message

STATUS = Example(
    text="Where is 1042?", tool="order_status", arguments={"order_id": "1042"}, result="sent"
)
GREETING = Example(text="Good morning")
EXAMPLES = st.builds(
    Example,
    text=st.text(max_size=5),
    tool=st.sampled_from([None, "order_status", "stock"]),
    result=st.text(max_size=5),
)


def shape(messages: tuple[Message, ...]) -> list[str]:
    return [
        message.tool_calls[0].name if message.tool_calls else f"{message.role}: {message.content}"
        for message in messages
    ]


def test_an_example_of_a_call_shows_the_call_its_result_and_that_nothing_follows() -> None:
    shown = example_messages([STATUS])
    assert shape(shown) == ["user: Where is 1042?", "order_status", "tool: sent", ANSWER_NAME]
    assert shown[1].tool_calls[0].arguments == {"order_id": "1042"}
    assert shown[2].tool_call_id == shown[1].tool_calls[0].id


def test_an_example_without_a_tool_shows_that_none_is_called() -> None:
    assert shape(example_messages([GREETING])) == ["user: Good morning", ANSWER_NAME]


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


@pytest.mark.parametrize("name", sorted(RESERVED_NAMES))
def test_a_tool_with_the_name_of_a_special_call_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="reserved") as caught:
        check_examples([], ["find", name])
    assert (caught.value.field, caught.value.value) == ("tools", name)


@given(st.lists(EXAMPLES, max_size=5))
def test_every_example_ends_with_the_decision_that_nothing_more_is_called(
    examples: list[Example],
) -> None:
    shown = example_messages(examples)
    ends = [
        number
        for number, message in enumerate(shown)
        if any(call.name == ANSWER_NAME for call in message.tool_calls)
    ]
    assert len(ends) == len(examples)
    assert not shown or ends[-1] == len(shown) - 1
    assert shape(shown).count(ANSWER_NAME) == len(examples)


@given(st.lists(EXAMPLES, max_size=4), st.lists(EXAMPLES, max_size=3))
def test_more_examples_are_shown_after_the_first_ones(
    first: list[Example], more: list[Example]
) -> None:
    shown = example_messages(first)
    assert example_messages([*first, *more])[: len(shown)] == shown
