from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.loops import (
    earlier_run,
    is_fruitless,
    is_going_round,
    is_repeating_text,
    is_wanted_again,
)
from smallhold.agents.result import Refusal, Step
from smallhold.messages import JsonValue, ToolCall
from smallhold.tools import NO_RESULT_TEXT


def wish(name: str, /, **arguments: JsonValue) -> ToolCall:
    return ToolCall(id="", name=name, arguments=dict(arguments))


A, B, C = wish("a"), wish("b"), wish("c")


def steps_of(*calls: ToolCall) -> list[Step]:
    """Act on one call a decision, as the loop does: the same call runs the first time only."""
    steps: list[Step] = []
    for number, call in enumerate(calls):
        is_new = earlier_run(steps, call) is None
        steps.append(
            Step(
                call=call,
                content=f"result {number}",
                is_error=not is_new,
                ran=is_new,
                margin=None,
                refusal=None if is_new else Refusal.REPEATED,
                decision=number,
            )
        )
    return steps


def step(number: int, content: str, *, name: str = "find", is_error: bool = False) -> Step:
    call = wish(name, text=str(number))
    return Step(
        call=call, content=content, is_error=is_error, ran=True, margin=None, decision=number
    )


def length_of_run(*cycle: ToolCall) -> int:
    """Count the decisions that a model gets which wants these calls for ever."""
    calls: list[ToolCall] = []
    while len(calls) < 50:
        following = cycle[len(calls) % len(cycle)]
        if is_going_round(steps_of(*calls), [following]):
            return len(calls)
        calls.append(following)
    return len(calls)


def test_the_same_call_is_told_once_and_then_ends_the_run() -> None:
    assert length_of_run(A) == 2


def test_two_calls_in_turn_end_the_run() -> None:
    assert length_of_run(A, B) == 3


def test_three_calls_in_turn_end_the_run() -> None:
    assert length_of_run(A, B, C) == 4


def test_a_step_back_between_new_calls_does_not_end_the_run() -> None:
    assert not is_going_round(steps_of(A, B, A), [C])
    assert not is_going_round(steps_of(A, B, A, C), [B])


def test_one_new_call_beside_old_ones_is_something_new() -> None:
    assert not is_going_round(steps_of(A, A, B), [A, C])
    assert is_going_round(steps_of(A, A, B), [A, B])


@given(st.lists(st.integers(0, 100), unique=True, max_size=20))
def test_calls_that_are_all_new_never_go_round(numbers: list[int]) -> None:
    calls = [wish("find", number=number) for number in numbers]
    for end in range(len(calls)):
        assert not is_going_round(steps_of(*calls[:end]), [calls[end]])


@given(st.lists(st.sampled_from([A, B, C]), min_size=1, max_size=12))
def test_a_run_over_few_calls_ends_within_twice_as_many_decisions(order: list[ToolCall]) -> None:
    assert length_of_run(*order) <= 2 * len({call.name for call in order}) + 1


def test_calls_that_the_model_had_to_mend_are_not_counted_here() -> None:
    wrong = [
        Step(
            call=A,
            content="wrong",
            is_error=True,
            ran=False,
            margin=None,
            refusal=Refusal.INVALID_ARGUMENTS,
            decision=number,
        )
        for number in range(3)
    ]
    assert not is_going_round(wrong, [A])
    assert earlier_run(wrong, A) is None
    assert is_wanted_again(wrong, A)


def test_errors_alone_lead_nowhere() -> None:
    errors = [step(number, f"error {number}", is_error=True) for number in range(3)]
    assert is_fruitless(errors)
    assert not is_fruitless(errors[:2])
    assert not is_fruitless([*errors[:2], step(3, "found")])


def test_the_same_result_whatever_is_asked_is_nothing_new() -> None:
    same = [step(number, "[]") for number in range(3)]
    assert is_fruitless(same)
    assert not is_fruitless([*same[:2], step(2, "[1]")])
    assert not is_fruitless([*same[:2], step(2, "[]", name="other")])


def test_a_tool_that_never_tells_anything_may_be_used_often() -> None:
    assert not is_fruitless([step(number, NO_RESULT_TEXT) for number in range(9)])


def test_calls_of_one_decision_are_one_attempt() -> None:
    together = [
        Step(call=A, content="x", is_error=True, ran=True, margin=None, decision=0)
        for _ in range(5)
    ]
    assert not is_fruitless(together)


@pytest.mark.parametrize("unit", ["I can help you. ", "ha ", "x", "one\ntwo\nthree\n"])
def test_a_passage_over_and_over_is_repetition(unit: str) -> None:
    assert is_repeating_text("Well, " + unit * 300)
    assert is_repeating_text("Well, " + unit * (1 + 200 // len(unit)) + unit * 10)
    assert not is_repeating_text("Well, " + unit * 5)


def test_text_that_goes_on_is_no_repetition() -> None:
    counted = ", ".join(map(str, range(500)))
    assert not is_repeating_text(counted)
    assert not is_repeating_text("la " * 300 + "and that was the song.")
    assert not is_repeating_text(" " * 1_000)


@given(st.text(min_size=1, max_size=20).filter(str.strip), st.integers(0, 19))
def test_repetition_is_seen_wherever_it_is_cut(unit: str, cut: int) -> None:
    text = unit * 300
    assert is_repeating_text(text[: len(text) - cut])
