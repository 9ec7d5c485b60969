"""Promises of `smallhold.tools.retrieval.fusion`: this file holds tests of putting together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.tools.retrieval.fusion import (
    MEANING_SHARE,
    best,
    clause_scores,
    message_scores,
)

shares = st.floats(0, 1)


def test_words_and_meaning_are_weighed() -> None:
    assert clause_scores([0.2], [0.6]) == [
        pytest.approx(0.6 * MEANING_SHARE + 0.2 * (1 - MEANING_SHARE))
    ]


def test_without_meaning_words_alone_count() -> None:
    assert clause_scores([0.2, 0.4], None) == [0.2, 0.4]


def test_an_opposite_meaning_is_no_worse_than_none() -> None:
    assert clause_scores([0.2], [-1.0]) == clause_scores([0.2], [0.0])


def test_the_best_tool_of_each_clause_is_ahead_of_the_second_of_any() -> None:
    # The second clause matches nothing well, yet its best tool is wanted.
    scores = message_scores([[0.9, 0.6, 0.0], [0.0, 0.0, 0.3]])
    assert best(scores, limit=2) == [0, 2]


def test_equal_tools_keep_their_order() -> None:
    assert best([0.5, 0.9, 0.5], limit=3) == [1, 0, 2]


def test_a_message_that_nothing_matches_gives_zeros() -> None:
    assert message_scores([[0.0, 0.0], [0.0, 0.0]]) == [0.0, 0.0]


@given(
    st.integers(1, 4).flatmap(
        lambda tools: st.lists(
            st.lists(shares, min_size=tools, max_size=tools), min_size=1, max_size=4
        )
    )
)
def test_scores_of_a_message_are_shares(clauses: list[list[float]]) -> None:
    found = message_scores(clauses)
    assert len(found) == len(clauses[0])
    assert all(0 <= value <= 1 for value in found)


@given(scores=st.lists(shares, min_size=1, max_size=6), again=st.integers(1, 3))
def test_repeating_a_clause_changes_nothing(scores: list[float], again: int) -> None:
    assert message_scores([scores] * (again + 1)) == message_scores([scores])


@given(scores=st.lists(shares, max_size=6), limit=st.integers(1, 6))
def test_a_smaller_limit_gives_the_beginning_of_a_larger_one(
    scores: list[float], limit: int
) -> None:
    assert best(scores, limit=limit) == best(scores, limit=limit + 1)[:limit]
