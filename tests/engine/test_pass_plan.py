from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import example, given
from hypothesis import strategies as st

from smallhold.engine.pass_plan import Demand, PassLimits, Rank, Share, plan_pass
from smallhold.engine.program import Mode

LIMITS = PassLimits(batch_tokens=64, chunk_tokens=16, outputs=8)
PLAIN, LEGAL = Mode(), Mode(adapter="legal")


def answer(rank: float = 0.0, *, tokens: int = 1, outputs: int = 1, mode: Mode = PLAIN) -> Demand:
    return Demand(tokens=tokens, outputs=outputs, is_divisible=False, mode=mode, rank=(1, rank))


def prompt(
    rank: float = 0.0,
    *,
    tokens: int = 1000,
    outputs: int = 1,
    priority: int = 1,
    mode: Mode = PLAIN,
) -> Demand:
    rank_of: Rank = (priority, rank)
    return Demand(tokens=tokens, outputs=outputs, is_divisible=True, mode=mode, rank=rank_of)


def planned(demands: Sequence[Demand]) -> dict[int, int]:
    """Tokens of the pass by the demand they belong to."""
    return {share.index: share.tokens for share in plan_pass(demands, LIMITS)}


@st.composite
def any_demands(draw: st.DrawFn) -> Demand:
    is_divisible = draw(st.booleans())
    tokens = draw(st.integers(1, 300 if is_divisible else LIMITS.batch_tokens))
    most_outputs = 1 if is_divisible else min(tokens, LIMITS.outputs)
    return Demand(
        tokens=tokens,
        outputs=draw(st.integers(0, most_outputs)),
        is_divisible=is_divisible,
        mode=draw(st.sampled_from([PLAIN, LEGAL, Mode(wants_hidden=True)])),
        rank=(draw(st.integers(-1, 2)), draw(st.integers(0, 50))),
    )


demand_lists = st.lists(any_demands(), max_size=12)


@given(demands=demand_lists)
def test_a_pass_never_holds_more_than_fits(demands: list[Demand]) -> None:
    shares = plan_pass(demands, LIMITS)
    ending = [
        demands[share.index] for share in shares if share.tokens == demands[share.index].tokens
    ]
    assert sum(share.tokens for share in shares) <= LIMITS.batch_tokens
    assert sum(demand.outputs for demand in ending) <= LIMITS.outputs


@given(demands=demand_lists)
def test_whoever_wants_something_there_is_always_a_pass(demands: list[Demand]) -> None:
    assert bool(plan_pass(demands, LIMITS)) == bool(demands)


@given(demands=demand_lists)
def test_nobody_takes_part_twice_or_with_more_than_they_want(demands: list[Demand]) -> None:
    shares = plan_pass(demands, LIMITS)
    assert len({share.index for share in shares}) == len(shares)
    assert all(0 < share.tokens <= demands[share.index].tokens for share in shares)


@given(demands=demand_lists)
def test_a_pass_is_of_the_mode_of_whoever_comes_first(demands: list[Demand]) -> None:
    shares = plan_pass(demands, LIMITS)
    first = min(demands, key=lambda demand: demand.rank, default=None)
    modes = {demands[share.index].mode for share in shares}
    assert modes == (set() if first is None else {first.mode})


@given(demands=demand_lists)
def test_what_cannot_be_divided_is_whole(demands: list[Demand]) -> None:
    for share in plan_pass(demands, LIMITS):
        demand = demands[share.index]
        assert demand.is_divisible or share.tokens == demand.tokens


@given(demands=demand_lists)
def test_prompts_beside_answers_take_one_chunk_at_most(demands: list[Demand]) -> None:
    shares = plan_pass(demands, LIMITS)
    read = sum(share.tokens for share in shares if demands[share.index].is_divisible)
    has_answers = any(not demands[share.index].is_divisible for share in shares)
    assert read <= (LIMITS.chunk_tokens if has_answers else LIMITS.batch_tokens)


@given(demands=demand_lists)
@example(demands=[prompt(tokens=LIMITS.batch_tokens + 1, outputs=0), prompt(1, outputs=0)])
def test_nobody_reads_while_a_prompt_of_an_earlier_rank_could_read_more(
    demands: list[Demand],
) -> None:
    taken = {share.index: share.tokens for share in plan_pass(demands, LIMITS)}
    reading = [index for index in taken if demands[index].is_divisible]
    for index in reading:
        for other, demand in enumerate(demands):
            is_before = demand.is_divisible and demand.rank < demands[index].rank
            fits = demand.outputs == 0 and demand.mode == demands[index].mode
            if is_before and fits:
                # Two may be left of it, where it would have been one.
                assert demand.tokens - taken.get(other, 0) in {0, 2}


@given(demands=demand_lists)
@example(demands=[prompt(tokens=LIMITS.batch_tokens + 1)])
@example(demands=[answer(), prompt(tokens=LIMITS.chunk_tokens + 1)])
@example(demands=[prompt(tokens=LIMITS.batch_tokens - 1), prompt(1, tokens=2)])
def test_no_single_token_of_a_prompt_is_left_over_but_of_two_that_only_one_fits(
    demands: list[Demand],
) -> None:
    for share in plan_pass(demands, LIMITS):
        demand = demands[share.index]
        assert demand.tokens - share.tokens != 1 or demand.tokens == 2


@given(tokens=st.integers(1, 1000))
def test_a_prompt_by_itself_never_ends_in_a_pass_of_one_token(tokens: int) -> None:
    left, last = tokens, 0
    while left:
        last = planned([prompt(tokens=left)])[0]
        left -= last
    assert last > 1 or tokens == 1


@given(demands=demand_lists)
def test_whatever_is_left_out_would_not_have_fitted(demands: list[Demand]) -> None:
    shares = plan_pass(demands, LIMITS)
    taken = {share.index for share in shares}
    whole = [demands[index] for index in taken if not demands[index].is_divisible]
    tokens = LIMITS.batch_tokens - sum(demand.tokens for demand in whole)
    outputs = LIMITS.outputs - sum(demand.outputs for demand in whole)
    mode = next((demands[index].mode for index in taken), None)
    for index, demand in enumerate(demands):
        if index not in taken and not demand.is_divisible and demand.mode == mode:
            assert demand.tokens > tokens or demand.outputs > outputs


def test_a_prompt_alone_takes_the_whole_pass() -> None:
    assert planned([prompt()]) == {0: LIMITS.batch_tokens}


def test_what_the_longest_pass_would_leave_a_single_token_of_leaves_two() -> None:
    assert planned([prompt(tokens=LIMITS.batch_tokens + 1)]) == {0: LIMITS.batch_tokens - 1}
    assert planned([prompt(tokens=LIMITS.batch_tokens + 2)]) == {0: LIMITS.batch_tokens}


def test_beside_an_answer_a_prompt_takes_a_chunk() -> None:
    assert planned([prompt(), answer()]) == {1: 1, 0: LIMITS.chunk_tokens}


def test_an_answer_goes_before_a_prompt_of_an_earlier_rank() -> None:
    assert plan_pass([prompt(0), answer(9)], LIMITS)[0] == Share(index=1, tokens=1)


def test_two_short_prompts_share_a_pass() -> None:
    assert planned([prompt(0, tokens=20), prompt(1, tokens=20)]) == {0: 20, 1: 20}


def test_answers_for_which_there_are_no_outputs_left_come_in_a_later_pass() -> None:
    answers = [answer(rank, tokens=3, outputs=3) for rank in (2.0, 0.0, 1.0)]
    assert planned(answers) == {1: 3, 2: 3}


def test_another_adapter_waits_for_its_own_pass() -> None:
    assert planned([answer(1), answer(0, mode=LEGAL)]) == {1: 1}


def test_a_prompt_of_a_better_priority_is_read_before_one_that_came_earlier() -> None:
    assert planned([prompt(0), prompt(9, priority=0)]) == {1: LIMITS.batch_tokens}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A prompt and when it comes, in passes."""

    at_pass: int
    tokens: int


def passes_to_read(arrivals: Sequence[Arrival], *, limit: int = 500) -> list[int]:
    """Read prompts as a scheduler does; the pass after which each is read, by arrival."""
    waiting: dict[int, Demand] = {}
    ends = [0] * len(arrivals)
    computed = 0
    for number in range(limit):
        for index, arrival in enumerate(arrivals):
            if arrival.at_pass == number:
                waiting[index] = prompt(computed + arrival.tokens, tokens=arrival.tokens)
        indices = list(waiting)
        for share in plan_pass([waiting[index] for index in indices], LIMITS):
            index = indices[share.index]
            left = waiting[index].tokens - share.tokens
            computed += share.tokens
            waiting[index] = replace(waiting[index], tokens=left)
            if left == 0:
                del waiting[index]
                ends[index] = number
    assert not waiting
    return ends


def test_a_short_prompt_overtakes_a_long_one_that_came_shortly_before() -> None:
    long, short = passes_to_read([Arrival(0, 3000), Arrival(1, 30)])
    assert short == 1
    assert long == (3030 - 1) // LIMITS.batch_tokens


def test_a_short_prompt_does_not_overtake_a_long_one_that_is_nearly_done() -> None:
    long, short = passes_to_read([Arrival(0, 640), Arrival(9, 640)])
    assert long == 9
    assert short == 19


def test_a_long_prompt_is_read_although_short_ones_never_cease_to_come() -> None:
    stream = [Arrival(at, LIMITS.batch_tokens) for at in range(1, 400)]
    long, *_ = passes_to_read([Arrival(0, 10 * LIMITS.batch_tokens), *stream])
    # The short ones that came while its own length was computed go first, and no others.
    assert long <= 2 * 10
