from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.tokens import Tokens, common_prefix, distinct_tokens

runs = st.lists(st.integers(0, 300), max_size=8)
"""Ids on both sides of a byte's border, since runs are ordered by their bytes."""


def ids(*tokens: int) -> Tokens:
    return np.asarray(tokens, dtype=np.int32)


def test_runs_share_what_comes_before_their_first_difference() -> None:
    assert common_prefix(ids(1, 2, 3, 4), ids(1, 2, 9, 4)) == 2


def test_a_run_shares_the_whole_of_a_longer_one_that_it_begins() -> None:
    assert common_prefix(ids(1, 2), ids(1, 2, 3)) == 2


@pytest.mark.parametrize("other", [ids(), ids(7)])
def test_an_empty_run_shares_nothing(other: Tokens) -> None:
    assert common_prefix(ids(), other) == 0


@given(a=runs, b=runs)
def test_the_common_prefix_is_common_and_cannot_be_longer(a: list[int], b: list[int]) -> None:
    shared = common_prefix(ids(*a), ids(*b))
    assert a[:shared] == b[:shared]
    assert a[shared : shared + 1] != b[shared : shared + 1] or len(a) == len(b) == shared


def test_two_agents_with_the_same_beginning_need_it_once() -> None:
    assert distinct_tokens([ids(1, 2, 3), ids(1, 2, 4, 5)]) == 5


def test_no_runs_need_nothing() -> None:
    assert distinct_tokens([]) == 0


@given(many=st.lists(runs, max_size=8))
def test_distinct_tokens_are_the_nodes_of_the_trie_over_all_runs(many: list[list[int]]) -> None:
    nodes = {tuple(run[:size]) for run in many for size in range(1, len(run) + 1)}
    assert distinct_tokens([ids(*run) for run in many]) == len(nodes)
