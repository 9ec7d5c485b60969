"""Promises of `smallhold.models.sources.pacing`: this file holds tests of measuring rates."""

from __future__ import annotations

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.models.sources.pacing import Pacer, RateMeter, TrickleWatch, paid

pytestmark = pytest.mark.anyio


@given(st.lists(st.tuples(st.integers(0, 200_000), st.floats(0, 3)), max_size=30))
def test_over_any_time_no_more_comes_than_the_limit_and_a_burst(
    takes: list[tuple[int, float]],
) -> None:
    limit, now_s, until_s, came_bytes = 100_000.0, 50.0, 0.0, 0
    for size_bytes, idle_s in takes:
        now_s += idle_s
        until_s, wait_s = paid(until_s, size_bytes, limit_bytes_s=limit, now_s=now_s)
        now_s += wait_s
        came_bytes += size_bytes
        assert came_bytes <= limit * (now_s - 50.0 + 0.25) + 1


async def test_bytes_wait_until_they_are_paid_for() -> None:
    pacer = Pacer(limit_bytes_s=1_000_000)
    began_s = anyio.current_time()
    for _ in range(10):
        await pacer.take(65_536)
    assert anyio.current_time() - began_s >= 0.3


async def test_all_who_share_a_pacer_share_its_rate() -> None:
    pacer = Pacer(limit_bytes_s=1_000_000)
    began_s = anyio.current_time()
    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(pacer.take, 200_000)
    assert anyio.current_time() - began_s >= 0.5


async def test_without_a_limit_nobody_waits() -> None:
    with anyio.fail_after(1):
        await Pacer(limit_bytes_s=None).take(10**12)


def test_a_rate_is_that_of_the_last_seconds() -> None:
    meter = RateMeter()
    assert meter.rate(0, now_s=0.0) is None
    assert meter.rate(1000, now_s=1.0) == 1000
    for second in range(2, 20):
        assert meter.rate(1000 + 50 * second, now_s=float(second)) is not None
    assert meter.rate(2000, now_s=20.0) == pytest.approx(50, rel=0.01)


def test_a_rate_begins_anew_when_the_fetching_does() -> None:
    meter = RateMeter()
    meter.rate(5000, now_s=0.0)
    assert meter.rate(0, now_s=1.0) is None
    assert meter.rate(100, now_s=2.0) == 100


@given(st.lists(st.tuples(st.integers(0, 10**9), st.floats(0, 10)), max_size=40))
def test_a_rate_is_never_negative(steps: list[tuple[int, float]]) -> None:
    meter, now_s = RateMeter(), 0.0
    for done_bytes, passed_s in steps:
        now_s += passed_s
        rate = meter.rate(done_bytes, now_s=now_s)
        assert rate is None or rate >= 0


def test_a_connection_that_trickles_is_told_from_a_slow_one() -> None:
    watch = TrickleWatch(limit_s=10.0)
    assert watch.problem(1, now_s=0.0) is None
    assert watch.problem(5000, now_s=9.0) is None
    assert watch.problem(1, now_s=10.0) is None
    assert watch.problem(1, now_s=15.0) is None
    assert watch.problem(1, now_s=20.0) == "the connection brought 2 bytes in 10 s"
