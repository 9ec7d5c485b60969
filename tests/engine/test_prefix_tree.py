from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.prefix_tree import (
    ATTENTION_TOKENS,
    Match,
    PrefixTree,
    Segment,
    recompute_cost,
)
from smallhold.engine.tokens import Tokens

BYTES_PER_TOKEN = 2
WHOLE_STATE_BYTES = 16
PLENTY_BYTES = 10**6

Text = tuple[int, ...]

texts = st.lists(st.integers(0, 1), min_size=1, max_size=12).map(tuple)
adapters = st.sampled_from([None, "legal"])
asked = st.lists(st.tuples(texts, adapters), min_size=1, max_size=30)
divisibility = pytest.mark.parametrize("is_divisible", [True, False], ids=["divisible", "whole"])


def ids(text: Iterable[int]) -> Tokens:
    return np.asarray(list(text), dtype=np.int32)


@dataclass(slots=True, kw_only=True)
class Cache:
    """A tree used as a lease uses it, beside a record of what each segment really is."""

    limit_bytes: int = PLENTY_BYTES
    is_divisible: bool = True
    tree: PrefixTree = field(init=False)
    written: dict[Segment, tuple[Text, str | None]] = field(
        default_factory=dict[Segment, tuple[Text, str | None]]
    )
    """The text from position 0 that a segment was computed after, and by which adapter."""

    def __post_init__(self) -> None:
        self.tree = PrefixTree(limit_bytes=self.limit_bytes, is_divisible=self.is_divisible)

    def match(self, text: Iterable[int], *, adapter: str | None = None) -> Match:
        return self.tree.match(ids(text), adapter=adapter)

    def keep(self, text: Iterable[int], *, adapter: str | None = None) -> None:
        """Insert what is not known of a text, as a request does when it ends."""
        whole = tuple(text)
        known = self.match(whole, adapter=adapter).tokens
        if known == len(whole):
            return
        start = known if self.is_divisible else 0
        size = (len(whole) - start) * BYTES_PER_TOKEN if self.is_divisible else WHOLE_STATE_BYTES
        segment = Segment(start=start, end=len(whole), state=bytes(size))
        self.written[segment] = (whole, adapter)
        self.tree.insert(ids(whole), segment, adapter=adapter)

    def serve(self, text: Iterable[int], *, adapter: str | None = None) -> int:
        """One request: look for its prompt, use what is known, keep the rest."""
        prompt = tuple(text)
        known = self.match(prompt, adapter=adapter).tokens
        self.tree.use(ids(prompt[:known]), adapter=adapter)
        self.keep(prompt, adapter=adapter)
        return known

    def remembered(self) -> set[Segment]:
        """Everything that any prompt could still be rebuilt from."""
        found: set[Segment] = set()
        for text, adapter in self.written.values():
            for size in range(1, len(text) + 1):
                match = self.match(text[:size], adapter=adapter)
                found |= {piece.segment for piece in match.pieces}
        return found

    def check(self, match: Match, text: Text, *, adapter: str | None) -> None:
        """A match rebuilds exactly the beginning of the text that it claims to."""
        for piece in match.pieces:
            written, by = self.written[piece.segment]
            assert written[: piece.end] == text[: piece.end]
            assert by == adapter
            assert piece.segment.start <= piece.start < piece.end <= piece.segment.end
        borders = [0, *(piece.end for piece in match.pieces)]
        assert [piece.start for piece in match.pieces] == borders[:-1]
        assert match.tokens == borders[-1] <= len(text)


def brothers(beginning: int, tails: int, *, length: int = 4) -> list[list[int]]:
    """Prompts of one agent: the same beginning, then something of their own."""
    return [[*range(beginning), *[100 + tail] * length] for tail in range(tails)]


@divisibility
@given(prompts=asked)
def test_a_prompt_is_rebuilt_from_its_own_text_without_gaps(
    prompts: list[tuple[Text, str | None]], *, is_divisible: bool
) -> None:
    cache = Cache(is_divisible=is_divisible, limit_bytes=60)
    for text, adapter in prompts:
        cache.check(cache.match(text, adapter=adapter), text, adapter=adapter)
        cache.serve(text, adapter=adapter)
        for known, by in prompts:
            cache.check(cache.match(known, adapter=by), known, adapter=by)


@divisibility
@given(prompts=asked, limit_bytes=st.integers(0, 120))
def test_what_is_kept_never_exceeds_the_limit_and_is_counted_right(
    prompts: list[tuple[Text, str | None]], limit_bytes: int, *, is_divisible: bool
) -> None:
    cache = Cache(is_divisible=is_divisible, limit_bytes=limit_bytes)
    for text, adapter in prompts:
        cache.serve(text, adapter=adapter)
        assert cache.tree.bytes <= limit_bytes
        assert cache.tree.bytes == sum(len(segment.state) for segment in cache.remembered())


@given(prompts=asked)
def test_with_room_for_all_the_longest_known_beginning_is_found(
    prompts: list[tuple[Text, str | None]],
) -> None:
    cache = Cache()
    seen: set[tuple[Text, str | None]] = set()
    for text, adapter in prompts:
        beginnings = {(text[:size], adapter) for size in range(1, len(text) + 1)}
        assert cache.match(text, adapter=adapter).tokens == len(beginnings & seen)
        cache.keep(text, adapter=adapter)
        seen |= beginnings


@given(prompts=asked)
def test_with_room_for_all_whole_states_are_found_where_they_end(
    prompts: list[tuple[Text, str | None]],
) -> None:
    cache = Cache(is_divisible=False)
    seen: set[tuple[Text, str | None]] = set()
    for text, adapter in prompts:
        ends = [size for size in range(1, len(text) + 1) if (text[:size], adapter) in seen]
        assert cache.match(text, adapter=adapter).tokens == max(ends, default=0)
        cache.keep(text, adapter=adapter)
        seen.add((text, adapter))


@given(prompts=asked)
def test_with_room_for_all_each_token_of_a_shared_beginning_is_kept_once(
    prompts: list[tuple[Text, str | None]],
) -> None:
    cache = Cache()
    for text, adapter in prompts:
        cache.serve(text, adapter=adapter)
    nodes = {(text[:size], by) for text, by in prompts for size in range(1, len(text) + 1)}
    assert cache.tree.bytes == BYTES_PER_TOKEN * len(nodes)


def test_nothing_is_known_of_a_first_prompt() -> None:
    assert Cache().match([1, 2, 3]) == Match()


def test_a_prompt_that_goes_on_is_rebuilt_from_both_segments() -> None:
    cache = Cache()
    cache.keep([1, 2, 3])
    cache.keep([1, 2, 3, 4, 5])
    match = cache.match([1, 2, 3, 4, 5, 6])
    assert [(piece.start, piece.end) for piece in match.pieces] == [(0, 3), (3, 5)]


def test_a_prompt_that_branches_off_takes_only_the_part_of_a_segment_that_it_shares() -> None:
    cache = Cache()
    cache.keep([1, 2, 3, 4])
    (piece,) = cache.match([1, 2, 9]).pieces
    assert (piece.start, piece.end, piece.segment.end) == (0, 2, 4)


def test_a_whole_state_is_of_no_use_to_a_prompt_that_branches_off_before_its_end() -> None:
    cache = Cache(is_divisible=False)
    cache.keep([1, 2, 3, 4])
    assert cache.match([1, 2, 3]).tokens == 0
    assert cache.match([1, 2, 3, 4, 5]).tokens == 4


def test_adapters_know_nothing_of_each_other() -> None:
    cache = Cache()
    cache.keep([1, 2, 3], adapter="legal")
    assert cache.match([1, 2, 3]).tokens == 0
    assert cache.match([1, 2, 3], adapter="medical").tokens == 0
    assert cache.match([1, 2, 3], adapter="legal").tokens == 3


def test_an_empty_text_is_not_kept() -> None:
    cache = Cache()
    cache.tree.insert(ids([]), Segment(start=0, end=0, state=b"12"), adapter=None)
    assert cache.tree.bytes == 0


def test_a_segment_larger_than_the_limit_drives_nothing_else_out() -> None:
    cache = Cache(limit_bytes=10 * BYTES_PER_TOKEN)
    cache.keep([1, 2, 3])
    cache.keep(range(50, 61))
    assert cache.match([1, 2, 3]).tokens == 3
    assert cache.match(range(50, 61)).tokens == 0


def test_a_conversation_that_outgrows_the_limit_keeps_its_beginning() -> None:
    cache = Cache(limit_bytes=10 * BYTES_PER_TOKEN)
    for turn in range(1, 8):
        cache.serve(range(4 * turn))
        assert cache.tree.bytes <= cache.tree.limit_bytes
    assert cache.match(range(28)).tokens == 8


def test_a_conversation_that_outgrows_the_limit_drives_nothing_else_out() -> None:
    cache = Cache(limit_bytes=10 * BYTES_PER_TOKEN)
    cache.keep([100, 101])
    for turn in range(1, 8):
        cache.serve(range(4 * turn))
    assert cache.match([100, 101]).tokens == 2


def test_without_memory_nothing_is_kept() -> None:
    cache = Cache(limit_bytes=0)
    cache.serve([1, 2, 3])
    assert cache.match([1, 2, 3]).tokens == 0


def test_a_beginning_that_many_share_outlives_the_tails_that_come_once() -> None:
    cache = Cache(limit_bytes=30 * BYTES_PER_TOKEN)
    prompts = brothers(10, 40)
    found = [cache.serve(prompt) for prompt in prompts]
    assert found == [0] + [10] * 39


def test_a_beginning_that_many_share_outlives_prompts_that_share_nothing() -> None:
    cache = Cache(limit_bytes=30 * BYTES_PER_TOKEN)
    for prompt in brothers(10, 10):
        cache.serve(prompt)
    for stranger in range(200, 205):
        cache.serve([stranger] * 10)
    assert cache.match(range(10)).tokens == 10


def test_what_was_used_often_goes_out_at_last_when_nobody_asks_for_it_any_more() -> None:
    cache = Cache(limit_bytes=30 * BYTES_PER_TOKEN)
    for prompt in brothers(10, 10):
        cache.serve(prompt)
    for stranger in range(200, 240):
        cache.serve([stranger] * 10)
    assert cache.match(range(10)).tokens == 0


def test_of_prompts_used_alike_the_one_longest_ago_goes_out() -> None:
    cache = Cache(limit_bytes=20 * BYTES_PER_TOKEN)
    cache.serve([1] * 10)
    cache.serve([2] * 10)
    cache.serve([3] * 10)
    cache.serve([4] * 10)
    kept = [token for token in (1, 2, 3, 4) if cache.match([token] * 10).tokens]
    assert kept == [3, 4]


def test_what_is_new_is_not_the_next_to_go() -> None:
    cache = Cache(limit_bytes=20 * BYTES_PER_TOKEN)
    for token in (1, 1, 2, 3, 4):
        cache.serve([token] * 10)
    kept = [token for token in (1, 2, 3, 4) if cache.match([token] * 10).tokens]
    assert kept == [3, 4]


def test_what_goes_out_after_something_dearer_does_not_make_newcomers_cheaper() -> None:
    cache = Cache(limit_bytes=10_500 * BYTES_PER_TOKEN)
    cache.keep(range(2000))
    cache.keep(range(10_000))
    for _ in range(4):
        cache.serve([50_000] * 500)
    # Drives out the dear end of the long text, then its cheap beginning.
    cache.serve([60_000] * 9000)
    assert cache.match(range(10_000)).tokens == 0
    cache.serve([70_000] * 1500)
    assert cache.match([60_000] * 9000).tokens == 9000
    assert cache.match([50_000] * 500).tokens == 0


def test_of_states_of_one_size_the_one_that_costs_least_to_compute_goes_out() -> None:
    cache = Cache(is_divisible=False, limit_bytes=2 * WHOLE_STATE_BYTES)
    cache.keep([1] * 50)
    cache.keep([2] * 3)
    cache.keep([3] * 4)
    assert cache.match([1] * 50).tokens == 50
    assert cache.match([2] * 3).tokens == 0


def test_a_match_alone_saves_nothing_from_going_out() -> None:
    cache = Cache(limit_bytes=20 * BYTES_PER_TOKEN)
    cache.keep([1] * 10)
    cache.keep([2] * 10)
    for _ in range(5):
        cache.match([1] * 10)
    cache.keep([3] * 10)
    assert cache.match([1] * 10).tokens == 0


def test_what_comes_after_a_node_goes_out_before_it() -> None:
    cache = Cache(limit_bytes=20 * BYTES_PER_TOKEN)
    cache.serve(range(5))
    for _ in range(3):
        cache.serve(range(15))
    cache.serve([100] * 10)
    assert cache.match(range(15)).tokens == 5


def test_a_whole_state_before_another_may_go_out_alone() -> None:
    cache = Cache(is_divisible=False, limit_bytes=2 * WHOLE_STATE_BYTES)
    cache.keep(range(5))
    cache.keep(range(15))
    cache.keep([100] * 10)
    assert cache.match(range(15)).tokens == 15
    assert cache.match(range(5)).tokens == 0


def test_tokens_further_on_cost_more_since_they_attend_to_more() -> None:
    assert recompute_cost(0, 10) < recompute_cost(1000, 1010)
    assert recompute_cost(ATTENTION_TOKENS - 1, ATTENTION_TOKENS + 1) == pytest.approx(2 * 2)


@given(borders=st.lists(st.integers(0, 5000), min_size=3, max_size=3).map(sorted))
def test_the_cost_of_a_run_is_that_of_its_parts(borders: list[int]) -> None:
    parts = sum(recompute_cost(start, end) for start, end in pairwise(borders))
    assert parts == pytest.approx(recompute_cost(borders[0], borders[-1]))
