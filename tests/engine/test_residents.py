from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.residents import (
    FRESH_TOKENS,
    MIN_SHARED_TOKENS,
    Resident,
    cells_needed,
    find_donor,
    is_being_computed,
)
from smallhold.engine.tokens import Tokens, distinct_tokens

PROMPT = tuple(range(100))
texts = st.lists(st.integers(0, 1), min_size=1, max_size=10)


def ids(*tokens: int) -> Tokens:
    return np.asarray(tokens, dtype=np.int32)


def resident(
    *prompt: int,
    held: int,
    sequence: int = 0,
    adapter: str | None = None,
    answer_tokens: int = 0,
    priority: int = 1,
) -> Resident:
    return Resident(
        sequence=sequence,
        adapter=adapter,
        priority=priority,
        prompt=ids(*prompt),
        answer_tokens=answer_tokens,
        held=list(prompt[:held]),
    )


def test_the_sequence_that_shares_most_is_the_donor() -> None:
    near = resident(1, 2, 9, held=3, sequence=4)
    nearest = resident(1, 2, 3, held=3, sequence=7)
    donor = find_donor(ids(1, 2, 3, 4, 5), [near, nearest], adapter=None)
    assert donor is not None
    assert (donor.sequence, donor.tokens) == (7, 3)


def test_only_what_is_computed_already_can_be_taken_from_a_donor() -> None:
    donor = find_donor(ids(1, 2, 3, 4), [resident(1, 2, 3, 4, held=2)], adapter=None)
    assert donor is not None
    assert donor.tokens == 2


def test_the_last_prompt_tokens_are_never_taken_since_their_logits_are_wanted() -> None:
    donor = find_donor(ids(1, 2, 3), [resident(1, 2, 3, held=3)], adapter=None)
    assert donor is not None
    assert donor.tokens == 3 - FRESH_TOKENS


def test_nothing_in_common_makes_no_donor() -> None:
    assert find_donor(ids(1, 2, 3), [resident(5, 2, 3, held=3)], adapter=None) is None


def test_a_request_of_another_adapter_is_no_donor() -> None:
    others = [resident(1, 2, 3, held=3, adapter="legal")]
    assert find_donor(ids(1, 2, 3), others, adapter=None) is None
    assert find_donor(ids(1, 2, 3), others, adapter="medical") is None
    assert find_donor(ids(1, 2, 3), others, adapter="legal") is not None


@given(prompt=texts, held=st.lists(texts, max_size=5))
def test_no_other_sequence_has_more_in_common_than_the_donor(
    prompt: list[int], held: list[list[int]]
) -> None:
    everybody = [resident(*text, held=len(text), sequence=place) for place, text in enumerate(held)]
    donor = find_donor(ids(*prompt), everybody, adapter=None)
    sizes = [
        max(
            n
            for n in range(max(1, len(prompt) - FRESH_TOKENS + 1))
            if n <= len(text) and text[:n] == prompt[:n]
        )
        for text in held
    ]
    assert (0 if donor is None else donor.tokens) == max(sizes, default=0)
    if donor is not None:
        assert held[donor.sequence][: donor.tokens] == prompt[: donor.tokens]


def test_a_beginning_that_another_request_is_reading_is_waited_for() -> None:
    reading = [resident(*PROMPT, held=0)]
    assert is_being_computed(ids(*PROMPT), reading, adapter=None, priority=1, known_tokens=0)


def test_nobody_waits_for_a_request_that_has_read_its_prompt() -> None:
    answering = [resident(*PROMPT, held=len(PROMPT))]
    assert not is_being_computed(ids(*PROMPT), answering, adapter=None, priority=1, known_tokens=0)


def test_nobody_waits_for_less_than_waiting_saves() -> None:
    last_worthwhile = len(PROMPT) - FRESH_TOKENS - MIN_SHARED_TOKENS
    for known in range(len(PROMPT)):
        waits = is_being_computed(
            ids(*PROMPT), [resident(*PROMPT, held=0)], adapter=None, priority=1, known_tokens=known
        )
        assert waits == (known <= last_worthwhile)


def test_what_the_other_request_holds_already_is_not_waited_for() -> None:
    held = len(PROMPT) - MIN_SHARED_TOKENS
    assert not is_being_computed(
        ids(*PROMPT), [resident(*PROMPT, held=held)], adapter=None, priority=1, known_tokens=0
    )


def test_nobody_waits_for_a_less_urgent_request() -> None:
    reading = [resident(*PROMPT, held=0, priority=2)]
    wait = [
        is_being_computed(ids(*PROMPT), reading, adapter=None, priority=priority, known_tokens=0)
        for priority in (0, 1, 2)
    ]
    assert wait == [False, False, True]


def test_nobody_waits_for_another_adapter() -> None:
    reading = [resident(*PROMPT, held=0, adapter="legal")]
    assert not is_being_computed(ids(*PROMPT), reading, adapter=None, priority=1, known_tokens=0)


def needed(
    running: Sequence[Resident], *prompt: int, answer_tokens: int = 0, is_shared: bool = True
) -> int:
    return cells_needed(
        running, prompt=ids(*prompt), answer_tokens=answer_tokens, adapter=None, is_shared=is_shared
    )


def test_a_request_alone_needs_its_prompt_and_its_answer() -> None:
    assert needed([], *PROMPT, answer_tokens=7) == len(PROMPT) + 7


def test_a_shared_beginning_takes_cells_once_but_for_what_is_too_short_to_wait_for() -> None:
    running = [resident(*PROMPT, held=0, answer_tokens=10)]
    assert needed(running, *PROMPT, 1, answer_tokens=5) == (
        len(PROMPT) + 1 + (MIN_SHARED_TOKENS - 1) + 15
    )


def test_prompts_with_nothing_in_common_need_all_their_cells() -> None:
    running = [resident(*PROMPT, held=0)]
    assert needed(running, *(token + 500 for token in PROMPT)) == 2 * len(PROMPT)


def test_another_adapters_cells_are_not_shared() -> None:
    running = [resident(*PROMPT, held=0, adapter="legal")]
    assert needed(running, *PROMPT) == 2 * len(PROMPT)


def test_where_sequences_share_no_cells_each_prompt_is_counted() -> None:
    running = [resident(*PROMPT, held=0)]
    assert needed(running, *PROMPT, is_shared=False) == 2 * len(PROMPT)


@given(prompt=texts, others=st.lists(texts, max_size=5))
def test_shared_cells_lie_between_the_distinct_tokens_and_all_of_them(
    prompt: list[int], others: list[list[int]]
) -> None:
    running = [resident(*text, held=0) for text in others]
    every = [*others, prompt]
    whole = sum(len(text) for text in every)
    distinct = distinct_tokens([ids(*text) for text in every])
    assert distinct <= needed(running, *prompt) <= whole
    assert needed(running, *prompt, is_shared=False) == whole
