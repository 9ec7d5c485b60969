from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import ConfigError
from smallhold.state.outbox import DeliveryPolicy
from smallhold.state.outbox.policy import CLAIM_MARGIN_S, pause_s

chances = st.floats(0, 1)


@given(attempts=st.integers(1, 10_000), chance=chances)
def test_a_pause_never_exceeds_the_longest(attempts: int, chance: float) -> None:
    policy = DeliveryPolicy(first_pause_s=2.0, longest_pause_s=60.0)
    assert 0 <= pause_s(policy, attempts=attempts, chance=chance) <= 60.0


@given(attempts=st.integers(1, 100), chance=chances)
def test_the_bound_never_shrinks_with_further_failures(attempts: int, chance: float) -> None:
    policy = DeliveryPolicy()
    now = pause_s(policy, attempts=attempts, chance=chance)
    assert pause_s(policy, attempts=attempts + 1, chance=chance) >= now


def test_the_bound_doubles_from_the_first_pause_on() -> None:
    policy = DeliveryPolicy(first_pause_s=0.5, longest_pause_s=100.0)
    assert [pause_s(policy, attempts=n, chance=1.0) for n in (1, 2, 3, 4)] == [0.5, 1.0, 2.0, 4.0]


def test_chance_spreads_pauses_over_the_whole_range() -> None:
    policy = DeliveryPolicy(first_pause_s=8.0)
    assert [pause_s(policy, attempts=1, chance=c) for c in (0.0, 0.25, 1.0)] == [0.0, 2.0, 8.0]


def test_a_claim_lasts_longer_than_the_attempt_it_is_for() -> None:
    assert DeliveryPolicy(send_timeout_s=20.0).claim_s == 20.0 + CLAIM_MARGIN_S


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("first_pause_s", 0.0),
        ("longest_pause_s", 100_000.0),
        ("send_timeout_s", float("nan")),
        ("send_timeout_s", 10_000.0),
        ("max_attempts", 0),
        ("parallel_sends", 0),
    ],
)
def test_a_value_that_cannot_work_is_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(ConfigError, match=field):
        DeliveryPolicy(**{field: value})  # pyright: ignore[reportArgumentType] - that is the point
