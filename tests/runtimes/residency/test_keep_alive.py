from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from smallhold.runtimes.residency.keep_alive import IdleModel, plan_idle

IDLE = st.builds(
    IdleModel,
    key=st.integers(0, 5),
    idle_since_s=st.floats(0, 100),
    keep_alive_s=st.one_of(st.just(0.0), st.just(math.inf), st.floats(0, 1000)),
)


def idle(key: int, *, since_s: float = 0.0, keep_alive_s: float = 300.0) -> IdleModel:
    return IdleModel(key=key, idle_since_s=since_s, keep_alive_s=keep_alive_s)


def test_a_model_expires_when_its_time_is_over() -> None:
    assert plan_idle([idle(1)], now_s=299).expired == ()
    assert plan_idle([idle(1)], now_s=300).expired == (1,)


def test_the_next_look_is_due_when_the_first_model_expires() -> None:
    plan = plan_idle([idle(1), idle(2, since_s=100)], now_s=150)
    assert plan.wait_s == 150


def test_zero_expires_at_once_and_infinity_never() -> None:
    plan = plan_idle([idle(1, keep_alive_s=0), idle(2, keep_alive_s=math.inf)], now_s=0)
    assert plan.expired == (1,)
    assert plan.wait_s is None


def test_a_strained_machine_shortens_the_time() -> None:
    assert plan_idle([idle(1)], now_s=61, ratio=0.2).expired == (1,)
    assert plan_idle([idle(1, keep_alive_s=math.inf)], now_s=1, ratio=0.0).expired == (1,)


@given(st.lists(IDLE, unique_by=lambda model: model.key), st.floats(100, 1000), st.floats(0, 1))
def test_who_has_not_expired_is_looked_at_in_time(
    models: list[IdleModel], now_s: float, ratio: float
) -> None:
    plan = plan_idle(models, now_s=now_s, ratio=ratio)
    assert plan.wait_s is None or plan.wait_s > 0
    for model in models:
        if model.key not in plan.expired and math.isfinite(model.keep_alive_s) and ratio:
            assert plan.wait_s is not None
