from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.sentences.wordpiece import english_vocabulary, token_ids
from smallhold.state.knowledge.token_count import wordpiece_count

WORDS = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=20)


@given(st.lists(WORDS).map(" ".join))
def test_common_text_is_counted_as_the_model_reads_it(text: str) -> None:
    assert wordpiece_count(text) >= len(token_ids(text, vocabulary=english_vocabulary()))


def test_a_plain_sentence_is_counted_exactly() -> None:
    text = "The espresso machine is descaled every two weeks."
    assert wordpiece_count(text) == len(token_ids(text, vocabulary=english_vocabulary()))


@given(st.text(), st.text())
def test_texts_side_by_side_cost_what_they_cost_alone(left: str, right: str) -> None:
    assert wordpiece_count(f"{left} {right}") == wordpiece_count(left) + wordpiece_count(right)


@given(st.text(min_size=1).filter(str.strip), st.integers(1, 2_000))
def test_no_text_is_long_and_counts_little(text: str, times: int) -> None:
    long = "".join(text.split()) * times
    assert wordpiece_count(long) >= len(long) / 8
