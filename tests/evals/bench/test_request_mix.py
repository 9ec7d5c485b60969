from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.evals.bench.request_mix import skewed_mix
from smallhold.exceptions import ConfigError


def test_the_same_seed_gives_the_same_mix_and_another_one_another() -> None:
    first = skewed_mix((0.6, 0.3, 0.1), requests=50, seed=1)
    assert first == skewed_mix((0.6, 0.3, 0.1), requests=50, seed=1)
    assert first != skewed_mix((0.6, 0.3, 0.1), requests=50, seed=2)


def test_the_shares_are_about_kept() -> None:
    counts = Counter(skewed_mix((0.6, 0.3, 0.1), requests=2000, seed=3))
    assert counts[0] > counts[1] > counts[2] > 100


@given(st.lists(st.floats(0.1, 5), min_size=1, max_size=5), st.integers(0, 50), st.integers(0, 9))
def test_every_request_is_for_one_of_the_models(
    shares: list[float], requests: int, seed: int
) -> None:
    mix = skewed_mix(shares, requests=requests, seed=seed)
    assert len(mix) == requests
    assert all(0 <= model < len(shares) for model in mix)


@pytest.mark.parametrize("shares", [(), (0.0,), (1.0, -0.5)])
def test_shares_that_mean_nothing_are_refused(shares: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match="shares"):
        skewed_mix(shares, requests=1, seed=0)
