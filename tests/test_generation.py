from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from smallhold.exceptions import ConfigError
from smallhold.generation import (
    SEED_LIMIT,
    Embedding,
    EmbedRequest,
    GenerationRequest,
    Pooling,
    Priority,
    Prompt,
    Sampling,
    Scheduling,
    ScoreRequest,
    Scores,
    normalised,
)
from smallhold.messages import Message, Role, Usage

PROMPT = Prompt(messages=(Message(role=Role.USER, content="hello"),))

log_probs = st.floats(-500, 0)
readings = st.lists(st.floats(-500, 500), min_size=1, max_size=12)


@st.composite
def scores(draw: st.DrawFn) -> Scores:
    rows = draw(
        st.lists(st.tuples(log_probs, log_probs, st.integers(1, 64)), min_size=1, max_size=12)
    )
    return Scores(
        log_probs=tuple(row[0] for row in rows),
        baseline_log_probs=tuple(row[1] for row in rows),
        token_counts=tuple(row[2] for row in rows),
        usage=Usage(),
    )


def test_a_request_takes_the_likeliest_token_unless_it_says_otherwise() -> None:
    request = GenerationRequest(prompt=PROMPT)
    assert request.sampling == Sampling(temperature=0.0, top_p=1.0, min_p=0.0, seed=None)
    assert request.constraint is None
    assert request.stop == ()


def test_requests_have_all_the_time_there_is_and_normal_priority_unless_they_say_otherwise() -> (
    None
):
    for request in (
        GenerationRequest(prompt=PROMPT),
        ScoreRequest(prompt=PROMPT, choices=("a",)),
        EmbedRequest(prompt=PROMPT),
    ):
        assert request.scheduling == Scheduling(priority=Priority.NORMAL, timeout_s=None)


def test_who_waits_at_a_screen_comes_before_those_for_whom_nobody_waits() -> None:
    assert sorted(Priority) == [Priority.INTERACTIVE, Priority.NORMAL, Priority.BATCH]


def test_requests_with_the_same_values_are_equal() -> None:
    assert GenerationRequest(prompt=PROMPT) == GenerationRequest(prompt=dataclasses.replace(PROMPT))
    assert ScoreRequest(prompt=PROMPT, choices=("a",)) != ScoreRequest(
        prompt=PROMPT, choices=("b",)
    )
    assert EmbedRequest(prompt=PROMPT, pooling=Pooling.LAST) != EmbedRequest(
        prompt=PROMPT, pooling=Pooling.MEAN
    )


def test_a_request_cannot_be_changed_on_its_way() -> None:
    request = GenerationRequest(prompt=PROMPT)
    with pytest.raises(dataclasses.FrozenInstanceError):
        request.max_tokens = 9  # pyright: ignore[reportAttributeAccessIssue] - the point


def test_a_misspelt_setting_fails_where_it_is_written() -> None:
    with pytest.raises(TypeError, match="temprature"):
        Sampling(temprature=1.0)  # pyright: ignore[reportCallIssue] - the point


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, -math.inf])
def test_a_temperature_that_no_distribution_has_is_refused(value: float) -> None:
    with pytest.raises(ConfigError, match="temperature") as caught:
        Sampling(temperature=value)
    assert caught.value.field == "temperature"
    assert "0 or more" in caught.value.remedy


@pytest.mark.parametrize("value", [-0.5, 0.0, 1.0001, math.nan, math.inf])
def test_a_nucleus_without_tokens_or_with_more_than_all_is_refused(value: float) -> None:
    with pytest.raises(ConfigError) as caught:
        Sampling(temperature=1.0, top_p=value)
    assert caught.value.field == "top_p"


@pytest.mark.parametrize("value", [-0.001, 1.001, math.nan])
def test_a_share_of_the_likeliest_token_is_between_none_and_all(value: float) -> None:
    with pytest.raises(ConfigError) as caught:
        Sampling(temperature=1.0, min_p=value)
    assert caught.value.field == "min_p"


@pytest.mark.parametrize("value", [-1, SEED_LIMIT])
def test_a_seed_that_no_worker_could_use_is_refused(value: int) -> None:
    with pytest.raises(ConfigError) as caught:
        Sampling(seed=value)
    assert caught.value.field == "seed"


@given(
    st.floats(0, 1e300),
    st.floats(0, 1, exclude_min=True),
    st.floats(0, 1),
    st.none() | st.integers(0, SEED_LIMIT - 1),
)
def test_every_sampling_within_the_ranges_is_taken_as_it_is(
    temperature: float, top_p: float, min_p: float, seed: int | None
) -> None:
    sampling = Sampling(temperature=temperature, top_p=top_p, min_p=min_p, seed=seed)
    assert dataclasses.astuple(sampling) == (temperature, top_p, min_p, seed)


@pytest.mark.parametrize("value", [0, -1, -(10**9)])
def test_a_request_for_no_token_at_all_is_refused(value: int) -> None:
    with pytest.raises(ConfigError) as caught:
        GenerationRequest(prompt=PROMPT, max_tokens=value)
    assert (caught.value.field, caught.value.value) == ("max_tokens", value)


@pytest.mark.parametrize("value", [0, 0.0, -1.5, math.nan])
def test_a_time_that_is_over_before_it_begins_is_refused(value: float) -> None:
    with pytest.raises(ConfigError, match="None") as caught:
        Scheduling(timeout_s=value)
    assert caught.value.field == "timeout_s"


def test_fewer_fixed_messages_than_none_are_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        dataclasses.replace(PROMPT, fixed_messages=-1)
    assert caught.value.field == "fixed_messages"


@given(scores())
def test_choices_of_any_length_are_alike_per_token(scored: Scores) -> None:
    for mean, log_prob, count in zip(
        scored.per_token(), scored.log_probs, scored.token_counts, strict=True
    ):
        assert mean * count == pytest.approx(log_prob)
        assert log_prob <= mean <= 0


@given(scores())
def test_choices_of_the_same_length_keep_their_order_per_token(scored: Scores) -> None:
    alike = dataclasses.replace(scored, token_counts=(7,) * len(scored.token_counts))
    means = alike.per_token()
    best = means.index(max(means))
    assert alike.log_probs[best] == pytest.approx(max(alike.log_probs))


@given(scores(), st.floats(-20, 20))
def test_a_choice_the_model_likes_anyway_gains_nothing_by_it_once_calibrated(
    scored: Scores, liking: float
) -> None:
    assert scored.baseline_log_probs is not None
    liked = dataclasses.replace(
        scored,
        log_probs=(scored.log_probs[0] + liking, *scored.log_probs[1:]),
        baseline_log_probs=(scored.baseline_log_probs[0] + liking, *scored.baseline_log_probs[1:]),
    )
    assert liked.calibrated() == pytest.approx(scored.calibrated(), abs=1e-9)


@given(scores())
def test_a_prompt_that_says_nothing_leaves_nothing_once_calibrated(scored: Scores) -> None:
    silent = dataclasses.replace(scored, baseline_log_probs=scored.log_probs)
    assert silent.calibrated() == (0.0,) * len(scored.log_probs)


def test_scores_without_a_baseline_cannot_be_calibrated() -> None:
    bare = Scores(log_probs=(-1.0,), baseline_log_probs=None, token_counts=(1,), usage=Usage())
    with pytest.raises(ConfigError, match="content-free") as caught:
        bare.calibrated()
    assert caught.value.field == "baseline"


@given(readings)
def test_normalised_readings_are_probabilities_in_the_same_order(values: list[float]) -> None:
    shares = normalised(values)
    assert sum(shares) == pytest.approx(1.0)
    assert all(0 <= share <= 1 for share in shares)
    for (low, small), (high, large) in zip(
        sorted(zip(values, shares, strict=True)),
        sorted(zip(values, shares, strict=True))[1:],
        strict=False,
    ):
        assert low <= high
        assert small <= large


@given(readings, st.floats(-500, 500))
def test_what_all_readings_have_in_common_does_not_count(
    values: list[float], common: float
) -> None:
    assume(max(values) - min(values) < 100)
    moved = normalised([value + common for value in values])
    assert moved == pytest.approx(normalised(values), rel=1e-6)


units = st.lists(st.floats(-1, 1), min_size=3, max_size=3).filter(lambda v: math.hypot(*v) > 0.01)


def pointing(direction: list[float]) -> Embedding:
    length = math.hypot(*direction)
    return Embedding(vector=tuple(value / length for value in direction), usage=Usage())


@given(units, units)
def test_similarity_is_a_cosine(a: list[float], b: list[float]) -> None:
    first, second = pointing(a), pointing(b)
    assert first.similarity(second) == second.similarity(first)
    assert abs(first.similarity(second)) <= 1 + 1e-9
    assert first.similarity(first) == pytest.approx(1.0)
    opposite = pointing([-value for value in a])
    assert first.similarity(opposite) == pytest.approx(-1.0)


def test_vectors_of_other_models_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="shorter"):
        pointing([1.0, 2.0, 3.0]).similarity(pointing([1.0, 2.0]))


def test_one_nat_more_is_e_times_as_likely() -> None:
    first, second = normalised([-3.0, -2.0])
    assert second / first == pytest.approx(math.e)
