from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.messages import (
    DoneEvent,
    Event,
    FinishReason,
    Message,
    Role,
    Timing,
    TokenEvent,
    ToolCall,
    ToolCallEvent,
    ToolResultEvent,
    Usage,
    text_of,
)

counts = st.integers(0, 10_000)
usages = st.builds(
    Usage,
    prompt_tokens=counts,
    cached_tokens=counts,
    completion_tokens=counts,
    forced_tokens=counts,
    passes=counts,
    drafted_tokens=counts,
    accepted_tokens=counts,
)


@given(usages, usages, usages)
def test_usages_add_up_in_any_order(a: Usage, b: Usage, c: Usage) -> None:
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + Usage() == a


@given(usages, usages)
def test_every_count_of_a_usage_is_added(a: Usage, b: Usage) -> None:
    total = dataclasses.asdict(a + b)
    parts = dataclasses.asdict(a), dataclasses.asdict(b)
    assert total == {name: parts[0][name] + parts[1][name] for name in total}


def test_every_count_of_a_usage_is_one_that_the_properties_draw() -> None:
    one = Usage(**{field.name: 1 for field in dataclasses.fields(Usage)})
    assert set(dataclasses.asdict(one + one).values()) == {2}


@given(st.lists(st.text(max_size=5)))
def test_the_pieces_of_an_answer_join_to_its_text(pieces: list[str]) -> None:
    assert text_of([TokenEvent(text=piece) for piece in pieces]) == "".join(pieces)


def test_only_tokens_are_part_of_an_answers_text() -> None:
    call = ToolCall(id="1", name="f", arguments={})
    events: list[Event] = [
        ToolCallEvent(call=call),
        ToolResultEvent(call=call, content="secret", is_error=False),
        TokenEvent(text="answer"),
        DoneEvent(text="answer", usage=Usage(), timing=Timing()),
    ]
    assert text_of(events) == "answer"


def test_two_results_are_equal_whatever_exception_they_carry() -> None:
    call = ToolCall(id="1", name="f", arguments={})
    results = [
        ToolResultEvent(call=call, content="failed", is_error=True, error=error)
        for error in (ValueError("a"), ValueError("b"))
    ]
    assert results[0] == results[1]


def test_a_message_cannot_be_changed() -> None:
    message = Message(role=Role.USER, content="hello")
    with pytest.raises(dataclasses.FrozenInstanceError):
        message.content = "changed"  # pyright: ignore[reportAttributeAccessIssue] - the point


def test_roles_and_reasons_are_written_as_the_chat_formats_write_them() -> None:
    assert [*Role] == ["system", "user", "assistant", "tool"]
    assert [*FinishReason] == ["stop", "length", "tool_calls"]
