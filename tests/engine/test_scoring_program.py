from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.scoring_program import (
    MAX_CHOICE_TOKENS,
    MAX_CHOICES,
    common_length,
    grouped,
    inner_nodes,
    tokens_within,
)
from smallhold.exceptions import ConfigError, ContextOverflowError
from smallhold.generation import ScoreRequest

if TYPE_CHECKING:
    from tests.engine.conftest import Asking, Driver, SecondOpinion

paths = st.lists(
    st.lists(st.integers(0, 2), min_size=1, max_size=5).map(tuple), min_size=1, max_size=12
)
TOLERANCE_PER_TOKEN = 0.35
"""Logits after the same text in batches of other shapes differ by this much with Q4 weights; a
choice that was read at a wrong place would be off by several nats."""


@given(paths)
def test_every_beginning_of_a_choice_is_one_node_with_the_choices_through_it(
    branches: list[tuple[int, ...]],
) -> None:
    nodes = inner_nodes(branches)
    assert set(nodes) == {branch[:end] for branch in branches for end in range(1, len(branch))}
    for node, through in nodes.items():
        assert through == [
            index
            for index, branch in enumerate(branches)
            if len(branch) > len(node) and branch[: len(node)] == node
        ]


@given(paths)
def test_parents_come_before_their_children(branches: list[tuple[int, ...]]) -> None:
    order = list(inner_nodes(branches))
    for node in order:
        assert len(node) == 1 or order.index(node[:-1]) < order.index(node)


@given(branches=paths, width=st.integers(1, 6), outputs=st.integers(4, 10))
def test_groups_keep_all_choices_in_order_and_within_both_limits(
    branches: list[tuple[int, ...]], width: int, outputs: int
) -> None:
    groups = list(grouped(branches, width=width, outputs=outputs))
    assert [branch for group in groups for branch in group] == branches
    assert all(1 <= len(group) <= width for group in groups)
    assert all(len(inner_nodes(group)) <= outputs for group in groups)


@given(paths)
def test_a_common_beginning_leaves_every_choice_a_token(branches: list[tuple[int, ...]]) -> None:
    common = common_length(branches)
    assert len({branch[:common] for branch in branches}) == 1
    assert all(len(branch) > common for branch in branches)


@given(st.lists(st.integers(1, 4), max_size=8), st.integers(0, 20))
def test_tokens_within_a_text_end_before_it_does(pieces: list[int], limit: int) -> None:
    count = tokens_within(pieces, limit_bytes=limit)
    assert sum(pieces[:count]) <= limit
    assert count == len(pieces) or sum(pieces[: count + 1]) > limit


def naive_log_probs(
    driver: Driver, opinion: SecondOpinion, request: ScoreRequest, *, step: int = 1
) -> dict[int, float]:
    """Every so many choices, one at a time, each with the whole prompt before it."""
    model = driver.loaded.model
    encoded = driver.loaded.encoder.encode(request.prompt, splits_tail=True)
    branches = [
        tuple(model.tokenize(encoded.tail + choice, parse_special=False))
        for choice in request.choices
    ]
    pieces = [len(model.piece(token)) for token in branches[0]]
    known = min(
        common_length(branches), tokens_within(pieces, limit_bytes=len(encoded.tail.encode()))
    )
    before = encoded.tokens.tolist() + list(branches[0][:known])
    return {
        index: opinion.log_prob(before, branches[index][known:])
        for index in range(0, len(branches), step)
    }


@pytest.mark.parametrize(
    ("continuation", "choices"),
    [
        ("The capital is ", ("Paris", "London", "Berlin", "the sea")),
        ('<tool_call>\n{"name": "', ('get_time", ', 'get_weather", ', 'get", ', 'order_pizza", ')),
        ("", ("Paris", "Paris is", "Paris is the capital")),
        ("", ("only one choice, of several tokens",)),
    ],
)
def test_scores_are_the_log_probabilities_of_each_whole_choice(
    driver: Driver,
    ask: Asking,
    second_opinion: SecondOpinion,
    continuation: str,
    choices: tuple[str, ...],
) -> None:
    prompt = ask("What is the capital of France?", continuation=continuation)
    request = ScoreRequest(prompt=prompt, choices=choices)
    scored = driver.score(request)
    naive = naive_log_probs(driver, second_opinion, request)
    for index, theirs in naive.items():
        allowed = TOLERANCE_PER_TOKEN * scored.token_counts[index] + 0.1
        assert scored.log_probs[index] == pytest.approx(theirs, abs=allowed)
    assert scored.log_probs.index(max(scored.log_probs)) == max(naive, key=lambda at: naive[at])


def test_all_choices_cost_one_pass_after_the_prompt(driver: Driver, ask: Asking) -> None:
    prompt = ask("What is the capital of France?", system="Be brief. " * 40)
    choices = tuple(f"choice {number}" for number in range(20))
    cold = driver.score(ScoreRequest(prompt=prompt, choices=choices))
    warm = driver.score(ScoreRequest(prompt=prompt, choices=choices))
    assert warm.usage.passes == len(driver.batch_sizes) == 1
    assert warm.usage.cached_tokens == warm.usage.prompt_tokens - 1
    assert cold.usage.cached_tokens == 0
    for before, after in zip(cold.log_probs, warm.log_probs, strict=True):
        assert after == pytest.approx(before, abs=1.0)


@pytest.mark.parametrize(
    "choices",
    [
        tuple(f"choice number {number}" for number in range(70)),
        tuple(chr(ord("A") + number % 26) * (1 + number // 26) for number in range(78)),
        tuple(chr(number) for number in range(ord("!"), ord("!") + 90)),
    ],
    ids=["three digits", "letters", "one token each"],
)
def test_more_choices_than_one_pass_can_hold_are_scored_in_groups(
    driver: Driver, ask: Asking, second_opinion: SecondOpinion, choices: tuple[str, ...]
) -> None:
    prompt = ask("Choose.", continuation="I choose")
    request = ScoreRequest(prompt=prompt, choices=choices)
    scored = driver.score(request)
    assert len(scored.log_probs) == len(choices)
    assert scored.usage.passes == len(driver.batch_sizes) <= 4
    for index, theirs in naive_log_probs(driver, second_opinion, request, step=23).items():
        allowed = TOLERANCE_PER_TOKEN * scored.token_counts[index] + 0.1
        assert scored.log_probs[index] == pytest.approx(theirs, abs=allowed)


def test_choices_of_one_token_need_one_pass_however_many_they_are(
    driver: Driver, ask: Asking
) -> None:
    choices = tuple(chr(number) for number in range(ord("!"), ord("!") + 90))
    scored = driver.score(ScoreRequest(prompt=ask("Choose."), choices=choices))
    assert scored.token_counts == [1] * 90
    assert scored.usage.passes == 1


def test_the_order_of_choices_does_not_matter(driver: Driver, ask: Asking) -> None:
    choices = ("Paris", "London", "Berlin")
    prompt = ask("What is the capital of France?")
    forward = driver.score(ScoreRequest(prompt=prompt, choices=choices))
    backward = driver.score(ScoreRequest(prompt=prompt, choices=choices[::-1]))
    for before, after in zip(forward.log_probs, backward.log_probs[::-1], strict=True):
        assert after == pytest.approx(before, abs=0.5)


def test_a_baseline_is_computed_once_and_remembered(driver: Driver, ask: Asking) -> None:
    choices = ("yes", "no", "perhaps not")
    first = driver.score(
        ScoreRequest(prompt=ask("Is it so?"), choices=choices, baseline=ask("N/A, first."))
    )
    second = driver.score(
        ScoreRequest(prompt=ask("Is it not?"), choices=choices, baseline=ask("N/A, first."))
    )
    alone = driver.score(ScoreRequest(prompt=ask("Is it not?"), choices=choices))
    assert first.baseline_log_probs == second.baseline_log_probs
    assert first.usage.passes > second.usage.passes == alone.usage.passes == 1
    assert alone.baseline_log_probs is None


def test_a_baseline_holds_what_its_prompt_scores(driver: Driver, ask: Asking) -> None:
    choices = ("yes", "no")
    scored = driver.score(
        ScoreRequest(prompt=ask("Is it so?"), choices=choices, baseline=ask("N/A, second."))
    )
    direct = driver.score(ScoreRequest(prompt=ask("N/A, second."), choices=choices))
    assert scored.baseline_log_probs == pytest.approx(direct.log_probs, abs=0.7)


def test_scoring_leaves_no_trace_of_its_choices_behind(driver: Driver, ask: Asking) -> None:
    prompt = ask("What is the capital of France?")
    for _ in range(2):
        driver.score(ScoreRequest(prompt=prompt, choices=("Paris", "Paris or not")))
    context = driver.loaded.context
    untouched = len(context.save(driver.loaded.prefixes.free[0]))
    used = driver.loaded.branch_sequences
    assert {len(context.save(sequence)) for sequence in used} == {untouched}


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        ((), "1 to"),
        (("x",) * (MAX_CHOICES + 1), "1 to"),
        (("a", ""), "empty"),
        (("a", "very " * (MAX_CHOICE_TOKENS + 1)), "tokens"),
    ],
    ids=["none", "too many", "an empty one", "a very long one"],
)
def test_choices_that_cannot_be_scored_are_refused_before_any_pass(
    driver: Driver, ask: Asking, choices: tuple[str, ...], told: str
) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        driver.score(ScoreRequest(prompt=ask("Hello!"), choices=choices))
    assert caught.value.field == "choices"
    assert driver.batch_sizes == []


def test_the_longest_choice_that_is_allowed_is_scored(driver: Driver, ask: Asking) -> None:
    choice = "very" + " very" * (MAX_CHOICE_TOKENS - 1)
    scored = driver.score(ScoreRequest(prompt=ask("Hello!"), choices=(choice, "no")))
    assert scored.token_counts == [MAX_CHOICE_TOKENS, 1]


def test_a_prompt_that_leaves_no_room_is_refused(driver: Driver, ask: Asking) -> None:
    with pytest.raises(ContextOverflowError):
        driver.score(ScoreRequest(prompt=ask("word " * 600), choices=("a", "b")))


def test_a_prompt_that_fills_the_window_can_still_be_scored(driver: Driver, ask: Asking) -> None:
    spare = 511 - len(driver.loaded.encoder.encode(ask(""), splits_tail=True).tokens)
    prompt = ask("word" + " word" * (spare - 1))
    choice = "very" + " very" * (MAX_CHOICE_TOKENS - 1)
    for _ in range(2):
        scored = driver.score(ScoreRequest(prompt=prompt, choices=(choice, "no")))
        assert scored.usage.prompt_tokens >= 510
