"""Promises of `smallhold.evals.faults.model`: this file holds tests of the bad model."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smallhold.evals.faults import Answer, Form, Line, Sight, Text
from smallhold.evals.faults.model import (
    by_exchange,
    by_form,
    call,
    for_ever,
    in_turn,
    look,
    when_told,
)
from smallhold.messages import Role

ROLES = st.sampled_from(list(Role))
LINES = st.lists(st.builds(Line, role=ROLES, text=st.text(max_size=20)), max_size=8)


def seen(*lines: tuple[Role, str], turn: int = 0, form: Form = Form.NATIVE) -> Sight:
    read = [Line(role=role, text=text) for role, text in lines]
    return look(read, asked=["Hello?", "And now?"], tools=["search"], turn=turn, form=form)


def test_the_model_says_what_belongs_to_the_first_phrase_that_it_was_told() -> None:
    model = when_told({"days": Text(text="b"), "city": Text(text="c")}, otherwise=Text(text="a"))
    assert model(seen((Role.USER, "Hello?"))) == Text(text="a")
    told = seen((Role.USER, "Hello?"), (Role.TOOL, "City and Days are wrong"))
    assert model(told) == Text(text="b")


def test_neither_its_own_words_nor_the_user_s_count_as_told() -> None:
    sight = seen((Role.TOOL, "earlier"), (Role.USER, "Hello?"), (Role.ASSISTANT, "days"))
    assert not sight.told.strip()


def test_what_is_joined_to_the_user_s_message_counts_as_told() -> None:
    assert "wrong: days" in seen((Role.USER, "Task:\nHello?\nError: wrong: days")).told


def test_only_what_came_after_the_user_s_last_message_counts() -> None:
    lines = ((Role.USER, "Hello?"), (Role.TOOL, "booked"), (Role.USER, "And now?"))
    sight = seen(*lines)
    assert sight.exchange == 1
    assert "booked" not in sight.told


@given(LINES)
def test_any_prompt_can_be_looked_at(lines: list[Line]) -> None:
    sight = look(lines, asked=["Hello?"], tools=[], turn=0, form=Form.NATIVE)
    assert sight.exchange == 0


def test_a_cycle_begins_again_and_a_sequence_stays_at_its_end() -> None:
    a, b = call("a"), call("b")
    sights = [seen(turn=turn) for turn in range(4)]
    assert [for_ever(a, b)(sight) for sight in sights] == [a, b, a, b]
    assert [in_turn(a, b)(sight) for sight in sights] == [a, b, b, b]


def test_a_model_can_behave_otherwise_by_form_and_by_message() -> None:
    a, b = in_turn(Answer(text="a")), in_turn(Answer(text="b"))
    assert by_form(native=a, own_decoder=b)(seen(form=Form.OWN_DECODER)) == Answer(text="b")
    assert by_exchange(a, b)(seen((Role.USER, "And now?"))) == Answer(text="b")
