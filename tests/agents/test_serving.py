from __future__ import annotations

import anyio
import pytest
from tests.runtimes.residency.scripted_models import GB, MB, House

from smallhold.agents.context import ContextBudget
from smallhold.agents.deadline import Deadline
from smallhold.agents.serving import Serving
from smallhold.exceptions import DeadlineExceededError
from smallhold.models.machine.power import PowerState
from smallhold.runtimes.residency import ResourceConfig
from smallhold.testing import ScriptedRuntime

pytestmark = pytest.mark.anyio


def house_of(*, runs: int | None = None) -> House:
    config = ResourceConfig(max_concurrent_agents=runs)
    return House(sizes={"large": GB, "small": 100 * MB}, config=config)


def serving_in(house: House, *, has_smaller: bool = True) -> Serving:
    large, small = (house.residency.runtime(house.spec(name)) for name in ("large", "small"))
    return Serving(
        runtime=large,
        budget=ContextBudget(),
        smaller=small if has_smaller else None,
        residency=house.residency,
    )


async def test_a_run_is_served_by_the_agents_own_model_where_nothing_is_strained() -> None:
    serving = serving_in(house_of())
    async with serving.serve(Deadline(limit_s=5)) as served:
        assert served.runtime.name == "embedded:large"
        assert not served.is_degraded


async def test_a_strained_machine_is_served_by_the_smaller_model_until_it_has_recovered() -> None:
    house = house_of()
    serving = serving_in(house)
    house.power = PowerState(memory_pressure_ratio=0.5)
    async with serving.serve(Deadline(limit_s=5)) as served:
        assert served.is_degraded
        assert served.runtime.name == "embedded:small"
    house.power = PowerState()
    house.clock.advance(10)
    async with serving.serve(Deadline(limit_s=5)) as served:
        assert not served.is_degraded


async def test_without_a_smaller_model_strain_changes_nothing() -> None:
    house = house_of()
    house.power = PowerState(is_throttled=True)
    serving = serving_in(house, has_smaller=False)
    async with serving.serve(Deadline(limit_s=5)) as served:
        assert served.runtime is serving.runtime


async def test_waiting_for_a_place_counts_towards_the_runs_time() -> None:
    house = house_of(runs=1)
    serving = serving_in(house)
    begun, end = anyio.Event(), anyio.Event()

    async def other() -> None:
        async with serving.serve(Deadline(limit_s=5)):
            begun.set()
            await end.wait()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(other)
        await begun.wait()
        with pytest.raises(DeadlineExceededError):
            async with serving.serve(Deadline(limit_s=0.05)):
                pytest.fail("the place is taken")
        end.set()


async def test_a_runtime_of_the_users_own_waits_for_nothing() -> None:
    runtime = ScriptedRuntime()
    serving = Serving(runtime=runtime, budget=ContextBudget())
    async with serving.serve(Deadline(limit_s=5)) as served:
        assert served.runtime is runtime
    await serving.aclose()
