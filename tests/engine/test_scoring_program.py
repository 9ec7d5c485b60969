from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.conftest import SecondOpinion
from tests.tiny_models import write_llama, write_recurrent, write_sliding_window

from smallhold.engine.config import ModelConfig
from smallhold.engine.residents import FRESH_TOKENS
from smallhold.engine.scoring_program import (
    MAX_CHOICE_TOKENS,
    MAX_CHOICES,
    common_length,
    grouped,
    inner_nodes,
    separate_nodes,
    tokens_within,
)
from smallhold.exceptions import ConfigError, ContextOverflowError, DecodeError
from smallhold.generation import GenerationRequest, ScoreRequest, ScoreScope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.engine.conftest import Asking, Driver, Start

    from smallhold.engine.scoring_program import Nodes

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
    nodes = dict(inner_nodes(branches))
    assert len(nodes) == len(inner_nodes(branches))
    assert set(nodes) == {branch[:end] for branch in branches for end in range(1, len(branch))}
    for node, through in nodes.items():
        assert through == [
            index
            for index, branch in enumerate(branches)
            if len(branch) > len(node) and branch[: len(node)] == node
        ]


@given(paths)
def test_parents_come_before_their_children(branches: list[tuple[int, ...]]) -> None:
    order = [node for node, _ in inner_nodes(branches)]
    for node in order:
        assert len(node) == 1 or order.index(node[:-1]) < order.index(node)


@given(paths)
def test_where_no_token_can_be_shared_each_choice_has_all_nodes_of_its_own_in_order(
    branches: list[tuple[int, ...]],
) -> None:
    nodes = separate_nodes(branches)
    for index, branch in enumerate(branches):
        own = [node for node, through in nodes if through == [index]]
        assert own == [branch[:end] for end in range(1, len(branch))]
    assert len(nodes) == sum(len(branch) - 1 for branch in branches)


@pytest.mark.parametrize("list_nodes", [inner_nodes, separate_nodes])
@given(branches=paths, width=st.integers(1, 6), outputs=st.integers(4, 10))
def test_groups_keep_all_choices_in_order_and_within_both_limits(
    list_nodes: Callable[[Sequence[tuple[int, ...]]], Nodes],
    branches: list[tuple[int, ...]],
    width: int,
    outputs: int,
) -> None:
    groups = list(grouped(branches, width=width, outputs=outputs, list_nodes=list_nodes))
    assert [branch for group in groups for branch in group] == branches
    assert all(1 <= len(group) <= width for group in groups)
    assert all(len(list_nodes(group)) <= outputs for group in groups)


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
    assert warm.usage.cached_tokens == warm.usage.prompt_tokens - FRESH_TOKENS
    assert cold.usage.cached_tokens == 0
    for before, after in zip(cold.log_probs, warm.log_probs, strict=True):
        assert after == pytest.approx(before, abs=1.0)


def test_deciding_tokens_are_all_that_is_read_of_a_choice(driver: Driver, ask: Asking) -> None:
    prompt = ask("What is the capital of France?", continuation="The capital is ")
    choices = ("Paris, the city of light", "London, where it rains", "Berlin, far in the east")
    scored = driver.score(ScoreRequest(prompt=prompt, choices=choices, scope=ScoreScope.DECIDING))
    assert scored.token_counts == [1, 1, 1]
    assert sum(driver.batch_sizes) == scored.usage.prompt_tokens
    assert sum(math.exp(log_prob) for log_prob in scored.log_probs) == pytest.approx(1.0)


def test_choices_of_one_token_share_the_whole_probability_by_what_each_has(
    driver: Driver, ask: Asking
) -> None:
    prompt = ask("Answer A, B or C.")
    whole = driver.score(ScoreRequest(prompt=prompt, choices=("A", "B", "C")))
    deciding = driver.score(
        ScoreRequest(prompt=prompt, choices=("A", "B", "C"), scope=ScoreScope.DECIDING)
    )
    assert whole.token_counts == [1, 1, 1]
    total = sum(math.exp(log_prob) for log_prob in whole.log_probs)
    expected = [math.exp(log_prob) / total for log_prob in whole.log_probs]
    chances = [math.exp(log_prob) for log_prob in deciding.log_probs]
    assert chances == pytest.approx(expected, abs=0.05)


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
    empty, everything = driver.held_bytes(), driver.free_sequences()
    prompt = ask("What is the capital of France?")
    for _ in range(2):
        driver.score(ScoreRequest(prompt=prompt, choices=("Paris", "Paris or not")))
    assert driver.held_bytes() == empty
    assert driver.free_sequences() == everything


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


@pytest.mark.parametrize("passes", [0, 1])
def test_scoring_that_nobody_waits_for_any_more_leaves_nothing_behind(
    driver: Driver, ask: Asking, passes: int
) -> None:
    empty, everything = driver.held_bytes(), driver.free_sequences()
    prompt = ask("What is the capital of France?", system="Be brief. " * 40)
    answer = driver.ask(ScoreRequest(prompt=prompt, choices=("Paris", "Paris or not")))
    driver.serve(passes=passes)
    answer.has_left = True
    driver.serve()
    assert (answer.replies, answer.is_closed) == ([], True)
    assert (driver.held_bytes(), driver.free_sequences()) == (empty, everything)


def test_a_pass_that_fails_leaves_no_branch_behind(driver: Driver, ask: Asking) -> None:
    empty, everything = driver.held_bytes(), driver.free_sequences()
    prompt = ask("What is the capital of France?")
    answer = driver.ask(ScoreRequest(prompt=prompt, choices=("Paris", "Paris or not")))
    driver.recorder.is_broken = True
    driver.serve()
    assert isinstance(answer.error, DecodeError)
    assert (driver.held_bytes(), driver.free_sequences()) == (empty, everything)


MANY = tuple(f"choice number {number}" for number in range(70))


def test_many_choices_are_scored_while_another_request_streams(driver: Driver, ask: Asking) -> None:
    generation = GenerationRequest(prompt=ask("Count from one to ten in words."), max_tokens=24)
    request = ScoreRequest(prompt=ask("Choose.", continuation="I choose"), choices=MANY)
    text = driver.finish(generation)[0]
    expected = driver.score(request).log_probs
    driver.forget_all()
    stream = driver.ask(generation)
    driver.serve(passes=4)
    answer = driver.ask(request)
    while not answer.is_closed:
        before = len(stream.replies)
        driver.serve(passes=2)
        assert len(stream.replies) > before
    driver.serve()
    counts = answer.scored.token_counts
    for ours, theirs, count in zip(answer.scored.log_probs, expected, counts, strict=True):
        assert ours == pytest.approx(theirs, abs=TOLERANCE_PER_TOKEN * count)
    assert stream.text[:20] == text[:20]


def test_scorings_at_the_same_time_share_the_branches_and_do_not_mix(
    driver: Driver, ask: Asking
) -> None:
    everything = driver.free_sequences()
    requests = [
        ScoreRequest(prompt=ask(text, continuation="I choose"), choices=MANY[place:])
        for place, text in enumerate(("Choose.", "Choose well.", "Choose again.", "Do choose."))
    ]
    alone = [driver.score(request).log_probs for request in requests]
    driver.forget_all()
    for answer, expected in zip(driver.together(requests), alone, strict=True):
        counts = answer.scored.token_counts
        for ours, theirs, count in zip(answer.scored.log_probs, expected, counts, strict=True):
            assert ours == pytest.approx(theirs, abs=TOLERANCE_PER_TOKEN * count)
    assert driver.free_sequences() == everything


def test_few_choices_of_two_requests_are_scored_in_one_pass(driver: Driver, ask: Asking) -> None:
    requests = [
        ScoreRequest(prompt=ask(text), choices=("yes", "no", "perhaps so"))
        for text in ("Is it so?", "Was it not?")
    ]
    for request in requests:
        driver.score(request)
    answers = driver.together(requests)
    assert [answer.scored.usage.passes for answer in answers] == [1, 1]
    assert len(driver.batch_sizes) == 1


WRITERS = {
    "llama": write_llama, "sliding window": write_sliding_window, "recurrent": write_recurrent,
}  # fmt: skip


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize("times", [1, 3], ids=["short", "long"])
def test_every_kind_of_memory_scores_as_it_would_token_by_token(
    start: Start, ask: Asking, tmp_path: Path, write: Callable[[Path], Path], times: int
) -> None:
    config = ModelConfig(path=write(tmp_path / "model.gguf"), name="tiny", threads=1)
    driver = start(config)
    opinion = SecondOpinion(config.path)
    prompt = ask("Do you take the train? " * times, system="Answer with a word or two. " * 4)
    choices = ("yes", "no", "not on the train", "yes, on the train", *MANY[:20])
    request = ScoreRequest(prompt=prompt, choices=choices)
    everything = driver.free_sequences()
    for _ in range(2):
        scored = driver.score(request)
        naive = naive_log_probs(driver, opinion, request, step=3)
        for index, theirs in naive.items():
            assert scored.log_probs[index] == pytest.approx(theirs, abs=0.02)
    assert driver.free_sequences() == everything
    opinion.close()


def test_a_running_state_scores_several_requests_at_the_same_time(
    start: Start, ask: Asking, tmp_path: Path
) -> None:
    config = ModelConfig(path=write_recurrent(tmp_path / "model.gguf"), name="tiny", threads=1)
    driver = start(config)
    requests = [
        ScoreRequest(prompt=ask(text, system="Answer briefly. " * 5), choices=MANY[:9])
        for text in ("Yes?", "No?", "Why?", "When?")
    ]
    alone = [driver.score(request).log_probs for request in requests]
    driver.forget_all()
    stream = driver.ask(GenerationRequest(prompt=ask("Is the sea warm in May?"), max_tokens=30))
    for answer, expected in zip(driver.together(requests), alone, strict=True):
        assert answer.scored.log_probs == pytest.approx(expected, abs=0.01)
    assert stream.finished.usage.completion_tokens > 0
