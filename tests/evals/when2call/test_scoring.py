"""Behaviour of precision, recall and F1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.evals.when2call.rows import ASK, CALL, CANNOT

from smallhold.evals.when2call import Behaviour, class_scores, confusion, macro_f1
from smallhold.evals.when2call.scoring import Pair

PAIRS: list[Pair] = [
    (CALL, CALL), (CALL, CALL), (CALL, ASK), (ASK, CALL), (ASK, ASK), (CANNOT, CALL),
    (CANNOT, None),
]  # fmt: skip


def test_scores_are_those_worked_out_by_hand() -> None:
    scores = class_scores(PAIRS)
    assert scores[CALL].precision == pytest.approx(2 / 4)
    assert scores[CALL].recall == pytest.approx(2 / 3)
    assert scores[CALL].f1 == pytest.approx(4 / 7)
    assert scores[ASK].f1 == pytest.approx(1 / 2)
    assert (scores[CANNOT].rows, scores[CANNOT].f1) == (2, 0.0)
    assert macro_f1(PAIRS) == pytest.approx((4 / 7 + 1 / 2 + 0) / 3)


def test_what_was_done_is_counted_for_each_label() -> None:
    assert confusion(PAIRS)[CANNOT] == {CALL: 1, None: 1}


def test_a_class_that_never_comes_up_does_not_lower_the_mean() -> None:
    assert macro_f1([(CALL, CALL)]) == 1.0
    assert macro_f1([(CALL, ASK)]) == 0.0
    assert macro_f1([]) == 0.0


ANY_PAIR = st.tuples(st.sampled_from(Behaviour), st.none() | st.sampled_from(Behaviour))


@given(st.lists(ANY_PAIR, min_size=1))
def test_the_mean_is_one_exactly_when_all_is_right(pairs: list[Pair]) -> None:
    score = macro_f1(pairs)
    assert 0.0 <= score <= 1.0
    assert (score == 1.0) == all(label is done for label, done in pairs)


@given(st.lists(ANY_PAIR, min_size=1), st.randoms(use_true_random=False))
def test_the_order_of_rows_plays_no_part(pairs: list[Pair], random: object) -> None:
    assert macro_f1(pairs) == pytest.approx(macro_f1(pairs[::-1]))
    assert random
