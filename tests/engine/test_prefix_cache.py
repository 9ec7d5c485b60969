from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.prefix_cache import (
    PrefixCache,
    ReusePlan,
    Tokens,
    common_prefix,
    unique_cells,
)

prompts = st.lists(st.integers(0, 2), min_size=1, max_size=12).map(tuple)


def ids(*tokens: int) -> Tokens:
    return np.asarray(tokens, dtype=np.int32)


def cache_of(capacity_tokens: int = 100, sequences: int = 4) -> PrefixCache:
    return PrefixCache(capacity_tokens=capacity_tokens, free=list(range(sequences)))


def served(cache: PrefixCache, *prompt: int, answer: tuple[int, ...] = ()) -> ReusePlan:
    """One whole request: the last prompt token is evaluated, then the answer's."""
    plan = cache.lease(ids(*prompt), room_tokens=len(prompt) + len(answer))
    cache.release(plan.target, [*prompt, *answer])
    return plan


def test_the_first_prompt_shares_nothing() -> None:
    plan = served(cache_of(), 1, 2, 3)
    assert (plan.shared_tokens, plan.source, plan.evicted) == (0, None, ())


def test_a_conversation_that_goes_on_stays_in_its_sequence() -> None:
    cache = cache_of()
    first = served(cache, 1, 2, 3, answer=(4,))
    second = served(cache, 1, 2, 3, 4, 5, 6)
    assert (second.target, second.source, second.shared_tokens) == (first.target, None, 4)


def test_a_conversation_that_branches_off_forks_its_longest_match() -> None:
    cache = cache_of()
    served(cache, 1, 2, 9, 9)
    longest = served(cache, 1, 2, 3, 4)
    fork = cache.lease(ids(1, 2, 3, 7, 7), room_tokens=6)
    assert (fork.source, fork.shared_tokens) == (longest.target, 3)
    assert fork.target != longest.target


def test_the_last_token_of_a_known_prompt_is_computed_again_for_its_logits() -> None:
    cache = cache_of()
    served(cache, 1, 2, 3)
    assert served(cache, 1, 2, 3).shared_tokens == 2


def test_the_sequence_unused_for_longest_gives_way() -> None:
    cache = cache_of(sequences=2)
    first = served(cache, 1, 1)
    second = served(cache, 2, 2)
    served(cache, 1, 1, 1)
    assert served(cache, 3, 3).evicted == (second.target,)
    assert served(cache, 4, 4).evicted == (first.target,)


def test_sequences_give_way_where_cells_run_out() -> None:
    cache = cache_of(capacity_tokens=10)
    first = served(cache, 1, 1, 1, 1)
    served(cache, 2, 2, 2, 2)
    assert served(cache, 3, 3, 3, 3).evicted == (first.target,)


def test_a_source_whose_rest_leaves_no_room_is_taken_over() -> None:
    cache = cache_of(capacity_tokens=10)
    first = served(cache, 1, 1, 1, 1, 5, 5, 5, 5)
    plan = cache.lease(ids(1, 1, 1, 1, 6, 6), room_tokens=10)
    assert (plan.target, plan.source, plan.shared_tokens) == (first.target, None, 4)


def test_a_source_is_taken_over_where_no_sequence_is_left() -> None:
    cache = cache_of(sequences=1)
    first = served(cache, 1, 1, 5, 5)
    plan = cache.lease(ids(1, 1, 6, 6), room_tokens=5)
    assert (plan.target, plan.source, plan.shared_tokens) == (first.target, None, 2)


def test_a_forgotten_sequence_is_free_again_and_matches_nothing() -> None:
    cache = cache_of(sequences=1)
    plan = served(cache, 1, 2, 3)
    cache.forget(plan.target)
    assert cache.free == [plan.target]
    assert cache.longest_match(ids(1, 2, 3)) == 0


def test_the_longest_match_is_counted_over_all_sequences() -> None:
    cache = cache_of()
    served(cache, 1, 2)
    served(cache, 1, 2, 3, 4)
    assert cache.longest_match(ids(1, 2, 3, 5)) == 3


@pytest.mark.parametrize(
    ("a", "b", "expected"), [((), (1,), 0), ((1, 2), (1, 2), 2), ((1, 2, 3), (1, 5, 3), 1)]
)
def test_a_common_prefix_ends_at_the_first_difference(
    a: tuple[int, ...], b: tuple[int, ...], expected: int
) -> None:
    assert common_prefix(ids(*a), ids(*b)) == common_prefix(ids(*b), ids(*a)) == expected


@given(st.lists(st.lists(st.integers(0, 300), max_size=8).map(tuple), max_size=8))
def test_cells_are_counted_as_the_nodes_of_a_trie(sequences: list[tuple[int, ...]]) -> None:
    nodes = {tokens[:end] for tokens in sequences for end in range(1, len(tokens) + 1)}
    assert unique_cells(ids(*tokens) for tokens in sequences) == len(nodes)


@given(
    requests=st.lists(st.tuples(prompts, st.integers(0, 5)), max_size=25),
    capacity=st.integers(20, 40),
    sequences=st.integers(1, 4),
)
def test_one_request_after_another_never_needs_more_than_there_is(
    requests: list[tuple[tuple[int, ...], int]], capacity: int, sequences: int
) -> None:
    cache = cache_of(capacity, sequences)
    held: dict[int, tuple[int, ...]] = {}
    for prompt, answer in requests:
        known = max((common_prefix(ids(*old), ids(*prompt)) for old in held.values()), default=0)
        plan = cache.lease(ids(*prompt), room_tokens=len(prompt) + answer)
        assert plan.shared_tokens == min(known, len(prompt) - 1)
        for sequence in plan.evicted:
            del held[sequence]
        if plan.shared_tokens:
            origin = held[plan.target if plan.source is None else plan.source]
            assert origin[: plan.shared_tokens] == prompt[: plan.shared_tokens]
        assert plan.source is None or plan.target not in held
        held[plan.target] = prompt + (9,) * answer
        assert len(held) <= sequences
        assert unique_cells(ids(*tokens) for tokens in held.values()) <= capacity
        cache.release(plan.target, held[plan.target])


@given(
    steps=st.lists(st.tuples(prompts, st.booleans()), max_size=20),
    capacity=st.integers(5, 30),
)
def test_a_leased_sequence_is_never_evicted_or_lent_again(
    steps: list[tuple[tuple[int, ...], bool]], capacity: int
) -> None:
    cache = cache_of(capacity, sequences=25)
    leased: set[int] = set()
    for prompt, is_kept in steps:
        plan = cache.lease(ids(*prompt), room_tokens=len(prompt))
        assert not leased & {plan.target, plan.source, *plan.evicted}
        if is_kept:
            leased.add(plan.target)
        else:
            cache.release(plan.target, prompt)
