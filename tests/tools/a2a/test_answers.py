"""Promises of `smallhold.tools.a2a.answers`: this file holds tests of updates that add up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smallhold.tools.a2a.answers import AnswerSoFar, TaskPhase, Update


def piece(text: str, *, artifact: str = "a", is_more: bool = True) -> Update:
    return Update(task_id="t", artifact=artifact, text=text, is_more=is_more)


def test_pieces_add_up_and_are_told_once() -> None:
    answer = AnswerSoFar()
    told = [answer.add(piece(text)) for text in ("one ", "two")]
    told.append(answer.add(piece("one two", is_more=False)))
    told.append(answer.add(Update(phase=TaskPhase.COMPLETED)))
    assert told == ["one ", "two", "", ""]
    assert answer.text == "one two"
    assert answer.is_over


def test_a_text_that_replaces_what_was_told_comes_whole_in_the_end() -> None:
    answer = AnswerSoFar()
    answer.add(piece("one"))
    assert answer.add(piece("other", is_more=False)) == ""
    assert answer.text == "other"


def test_a_question_is_what_was_said_and_not_what_was_made() -> None:
    answer = AnswerSoFar()
    answer.add(piece("draft"))
    answer.add(Update(phase=TaskPhase.NEEDS_INPUT, said="Which order?"))
    assert answer.text == "Which order?"


def test_without_artifacts_the_last_words_are_the_answer() -> None:
    answer = AnswerSoFar()
    answer.add(Update(phase=TaskPhase.COMPLETED, said="Done."))
    assert answer.text == "Done."


def test_a_task_under_way_is_not_over() -> None:
    answer = AnswerSoFar()
    assert not answer.is_over
    answer.add(Update(phase=TaskPhase.WORKING))
    assert not answer.is_over


@given(st.lists(st.tuples(st.sampled_from("ab"), st.text(max_size=3), st.booleans())))
def test_what_was_told_is_the_answer_as_long_as_nothing_was_taken_back(
    parts: list[tuple[str, str, bool]],
) -> None:
    answer, told = AnswerSoFar(), ""
    for artifact, text, is_more in parts:
        told += answer.add(piece(text, artifact=artifact, is_more=is_more))
        assert told == answer.told
