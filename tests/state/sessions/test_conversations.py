from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.messages import JsonValue, Message, Role, ToolCall
from smallhold.state.sessions import change_between, message_json, read_change, read_message

TEXTS = st.text(max_size=8)
ARGUMENTS = st.dictionaries(
    TEXTS,
    st.none() | st.booleans() | st.integers() | TEXTS | st.lists(TEXTS, max_size=2),
    max_size=3,
)
CALLS = st.builds(
    ToolCall, id=TEXTS, name=TEXTS, arguments=ARGUMENTS, raw_arguments=st.none() | TEXTS
)
MESSAGES = st.builds(
    Message,
    role=st.sampled_from(Role),
    content=TEXTS,
    tool_calls=st.lists(CALLS, max_size=2).map(tuple),
    tool_call_id=st.none() | TEXTS,
)
CONVERSATIONS = st.lists(MESSAGES, max_size=5).map(tuple)


@given(MESSAGES)
def test_a_message_is_read_as_it_was_written(message: Message) -> None:
    assert read_message(json.loads(json.dumps(message_json(message)))) == message


@given(CONVERSATIONS, CONVERSATIONS)
def test_a_change_turns_one_conversation_into_the_other(
    before: tuple[Message, ...], after: tuple[Message, ...]
) -> None:
    change = change_between(before, after)
    read = read_change(json.loads(json.dumps(change.to_json())))
    assert read == change
    assert read.applied(before) == after


@given(CONVERSATIONS, CONVERSATIONS)
def test_a_change_that_only_adds_holds_no_more_than_what_is_new(
    before: tuple[Message, ...], new: tuple[Message, ...]
) -> None:
    change = change_between(before, (*before, *new))
    assert change.keep == len(before)
    assert change.then == new


def test_a_change_that_keeps_nothing_holds_the_conversation_whole() -> None:
    message = Message(role=Role.USER, content="Hello")
    assert change_between((), (message,)).is_whole
    assert not change_between((message,), (message, message)).is_whole


def test_a_change_that_keeps_more_than_there_is_is_refused() -> None:
    change = change_between((Message(role=Role.USER, content="a"),), ())
    assert change.applied(()) == ()
    with pytest.raises(ValueError, match="keeps 2 of 0"):
        read_change({"keep": 2, "then": []}).applied(())


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (None, "the value"),
        ({"keep": -1, "then": []}, "keep"),
        ({"keep": True, "then": []}, "keep"),
        ({"keep": 0}, "then"),
        ({"keep": 0, "then": [{"role": "king", "content": ""}]}, "then.0.role"),
        ({"keep": 0, "then": [{"role": "user", "content": 1}]}, "then.0.content"),
        ({"keep": 0, "then": [{"role": "user", "content": "", "more": 1}]}, "then.0.more"),
    ],
)
def test_what_is_no_change_is_refused_with_its_place(value: JsonValue, place: str) -> None:
    with pytest.raises(ValueError, match=f"^{place}: "):
        read_change(value)


def test_a_refusal_does_not_show_what_was_stored() -> None:
    with pytest.raises(ValueError, match="role") as caught:
        read_message({"role": "secret-canary", "content": "x"})
    assert "canary" not in str(caught.value)
