"""Promises of `smallhold.evals.bench.answers`: this file holds tests of what callers saw."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smallhold.evals.bench.answers import Answer


def answer(*arrivals_s: float) -> Answer:
    return Answer(
        text="x",
        prompt_tokens=10,
        cached_tokens=4,
        completion_tokens=3,
        arrivals_s=arrivals_s,
        total_s=9.0,
    )


def test_tokens_from_the_cache_were_not_computed() -> None:
    assert answer().computed_tokens == 6


def test_the_first_token_is_the_first_piece_of_text() -> None:
    assert answer(1.5, 2.0).first_token_s == 1.5


def test_an_answer_without_text_has_its_first_token_at_its_end() -> None:
    assert answer().first_token_s == 9.0


def test_the_longest_gap_is_between_neighbours() -> None:
    assert answer(1.0, 1.5, 4.0, 4.5).longest_gap_s == 2.5


@given(st.lists(st.floats(min_value=0, max_value=100), max_size=1).map(tuple))
def test_fewer_than_two_pieces_have_no_gap(arrivals_s: tuple[float, ...]) -> None:
    assert answer(*arrivals_s).longest_gap_s == 0.0
