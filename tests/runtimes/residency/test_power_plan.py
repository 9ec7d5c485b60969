from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smallhold.models.machine.power import PowerState
from smallhold.runtimes.residency.power_plan import UNSTRAINED, PowerPlan, Strain, power_plan

STATES = st.builds(
    PowerState,
    on_battery=st.sampled_from([None, False, True]),
    battery_ratio=st.none() | st.floats(0, 1),
    hottest_celsius=st.none() | st.floats(20, 110),
    is_throttled=st.sampled_from([None, False, True]),
    memory_pressure_ratio=st.none() | st.floats(0, 1),
)


def test_a_machine_that_tells_nothing_is_not_strained() -> None:
    assert power_plan(PowerState(), cores=8) == UNSTRAINED


def test_on_battery_half_the_cores_compute_and_models_go_sooner() -> None:
    plan = power_plan(PowerState(on_battery=True, battery_ratio=0.9), cores=8)
    assert plan.threads == 4
    assert plan.keep_alive_ratio < 1
    assert not plan.prefers_smaller


def test_a_low_battery_asks_for_the_smaller_model() -> None:
    plan = power_plan(PowerState(on_battery=True, battery_ratio=0.1), cores=8)
    assert plan.threads == 2
    assert plan.prefers_smaller
    assert not power_plan(PowerState(on_battery=False, battery_ratio=0.1), cores=8).strains


def test_heat_holds_until_the_machine_is_clearly_cooler() -> None:
    hot = power_plan(PowerState(hottest_celsius=90), cores=8)
    assert hot.strains == {Strain.HEAT}
    warm = PowerState(hottest_celsius=80)
    assert power_plan(warm, cores=8, before=hot) == hot
    assert power_plan(warm, cores=8) == UNSTRAINED


def test_memory_pressure_unloads_idle_models_and_asks_for_the_smaller_model() -> None:
    plan = power_plan(PowerState(memory_pressure_ratio=0.5), cores=8)
    assert plan == PowerPlan(keep_alive_ratio=0.0, strains=frozenset({Strain.MEMORY}))
    assert plan.prefers_smaller


@given(STATES, st.integers(1, 64))
def test_a_plan_always_leaves_a_thread_and_never_asks_for_more_than_there_are(
    state: PowerState, cores: int
) -> None:
    plan = power_plan(state, cores=cores)
    assert plan.threads is None or 1 <= plan.threads <= cores
    assert 0 <= plan.keep_alive_ratio <= 1


@given(STATES, st.integers(1, 64))
def test_a_state_that_does_not_change_leads_to_a_plan_that_does_not(
    state: PowerState, cores: int
) -> None:
    plan = power_plan(state, cores=cores)
    assert power_plan(state, cores=cores, before=plan) == plan
