from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.deciding import Path, decided_log_probs, deciding_parts

VOCABULARY = 3
paths = st.lists(
    st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=4).map(tuple),
    min_size=1,
    max_size=6,
    unique=True,
)


def even(parts: list[Path]) -> dict[Path, dict[int, float]]:
    """What a model that finds all tokens equally likely gives after each node."""
    nodes = {part[:end] for part in parts for end in range(len(part))}
    return {
        node: {
            part[len(node)]: -math.log(VOCABULARY + 1)
            for part in parts
            if len(part) > len(node) and part[: len(node)] == node
        }
        for node in nodes
    }


def test_choices_whose_first_tokens_differ_are_told_apart_by_them() -> None:
    assert deciding_parts([(1, 5, 6), (2, 5), (3,)]) == [(1,), (2,), (3,)]


def test_tokens_that_choices_share_count_and_what_follows_the_difference_does_not() -> None:
    assert deciding_parts([(1, 5, 6, 9), (1, 7, 8), (2, 2)]) == [(1, 5), (1, 7), (2,)]


def test_a_choice_that_another_one_begins_with_is_kept_whole() -> None:
    assert deciding_parts([(1, 2), (1, 2, 3, 4)]) == [(1, 2), (1, 2, 3)]


@given(paths)
def test_parts_are_different_beginnings_of_their_choices(branches: list[Path]) -> None:
    parts = deciding_parts(branches)
    assert all(branch[: len(part)] == part for branch, part in zip(branches, parts, strict=True))
    assert len(set(parts)) == len(parts)


def test_a_choice_among_first_tokens_shares_the_whole_probability() -> None:
    following = {(): {1: math.log(0.02), 2: math.log(0.06)}}
    parts = [(1,), (2,)]
    chances = [math.exp(log_prob) for log_prob in decided_log_probs(parts, following)]
    assert chances == pytest.approx([0.25, 0.75])


def test_where_one_choice_ends_and_another_goes_on_ending_has_what_is_left() -> None:
    following = {(): {1: math.log(0.5)}, (1,): {2: math.log(0.2)}}
    parts = [(1,), (1, 2)]
    chances = [math.exp(log_prob) for log_prob in decided_log_probs(parts, following)]
    assert chances == pytest.approx([0.8, 0.2])


def test_ending_where_going_on_is_certain_is_impossible() -> None:
    following = {(): {1: 0.0}, (1,): {2: 0.0}}
    assert decided_log_probs([(1,), (1, 2)], following)[0] == -math.inf


@given(paths)
def test_the_chances_of_all_choices_add_up_to_one(branches: list[Path]) -> None:
    parts = deciding_parts(branches)
    following = even(parts)
    chances = [math.exp(log_prob) for log_prob in decided_log_probs(parts, following)]
    assert sum(chances) == pytest.approx(1.0)
