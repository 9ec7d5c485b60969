from __future__ import annotations

import math
import threading
import time
from functools import partial
from itertools import pairwise

import anyio
import pytest
from tests.runtimes.residency.scripted_models import GB, MB, House, answer, asked, machine

from smallhold.exceptions import (
    DeadlineExceededError,
    MemoryRefusedError,
    ModelLoadError,
    WorkerDiedError,
)
from smallhold.models.machine.power import PowerState
from smallhold.runtimes.residency import Place, ResidentRuntime, ResourceConfig, Strain

pytestmark = pytest.mark.anyio

NO_POWER = ResourceConfig(power_management=False)
ONE_GB = ResourceConfig(max_memory_usage="1GB", power_management=False)


async def settled() -> None:
    """Let every task go as far as it can."""
    for _ in range(20):
        await anyio.sleep(0.001)


async def hold(runtime: ResidentRuntime, until: anyio.Event, begun: anyio.Event) -> None:
    """Ask something and be slow to hear the answer."""
    async with runtime.stream(asked()):
        begun.set()
        await until.wait()


class Speaker:
    """A request that goes on until it is told to end."""

    def __init__(self, runtime: ResidentRuntime) -> None:
        self.runtime = runtime
        self.begun, self.end = anyio.Event(), anyio.Event()

    async def run(self) -> None:
        await hold(self.runtime, self.end, self.begun)


async def test_a_model_is_loaded_at_its_first_request_and_stays() -> None:
    house = House(sizes={"small": 300 * MB})
    runtime = house.residency.runtime(house.spec("small"))
    assert house.journal == []
    assert await answer(runtime) == "I am small"
    assert await answer(runtime) == "I am small"
    assert house.journal == ["load small"]


async def test_runtimes_of_the_same_settings_share_one_model_under_any_name() -> None:
    house = House(sizes={"small": 300 * MB})
    spec = house.spec("small")
    first = house.residency.runtime(spec)
    second = house.residency.runtime(house.use(spec, "small:q4_k_m"))
    await answer(first)
    await answer(second)
    assert house.journal == ["load small"]
    assert second.name == "embedded:small:q4_k_m"


async def test_one_load_serves_all_who_wait_for_it_in_their_order() -> None:
    house = House(sizes={"small": 300 * MB})
    runtime = house.residency.runtime(house.spec("small"))
    house.models["small"].gate = gate = anyio.Event()
    order: list[int] = []

    async def ask(number: int) -> None:
        await answer(runtime)
        order.append(number)

    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(ask, number)
            await settled()
        assert order == []
        gate.set()
    assert order == [0, 1, 2, 3, 4]
    assert house.journal == ["load small"]


async def test_one_who_gives_up_while_it_loads_leaves_the_load_to_the_others() -> None:
    house = House(sizes={"small": 300 * MB})
    runtime = house.residency.runtime(house.spec("small"))
    house.models["small"].gate = gate = anyio.Event()
    answers: list[str] = []

    async def ask() -> None:
        answers.append(await answer(runtime))

    async with anyio.create_task_group() as tasks:
        async with anyio.create_task_group() as impatient:
            impatient.start_soon(answer, runtime)
            await settled()
            tasks.start_soon(ask)
            await settled()
            impatient.cancel_scope.cancel()
        gate.set()
    assert answers == ["I am small"]
    assert house.journal == ["load small"]


async def test_the_least_recently_used_model_makes_room() -> None:
    house = House(sizes={"a": 400 * MB, "b": 400 * MB, "c": 400 * MB}, config=ONE_GB)
    a, b, c = (house.residency.runtime(house.spec(name)) for name in "abc")
    for runtime in (a, b, a, c):
        house.clock.advance(1)
        await answer(runtime)
    assert house.journal == ["load a", "load b", "unload b", "load c"]


async def test_a_busy_model_is_waited_for_and_never_evicted() -> None:
    house = House(sizes={"a": 600 * MB, "b": 600 * MB}, config=ONE_GB)
    a, b = (house.residency.runtime(house.spec(name)) for name in "ab")
    speaker = Speaker(a)
    answers: list[str] = []

    async def ask() -> None:
        answers.append(await answer(b))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(speaker.run)
        await speaker.begun.wait()
        tasks.start_soon(ask)
        await settled()
        assert house.journal == ["load a"]
        speaker.end.set()
    assert answers == ["I am b"]
    assert house.journal == ["load a", "unload a", "load b"]


async def test_waiting_for_a_busy_model_ends_with_the_requests_own_time() -> None:
    house = House(sizes={"a": 600 * MB, "b": 600 * MB}, config=ONE_GB)
    a, b = (house.residency.runtime(house.spec(name)) for name in "ab")
    speaker = Speaker(a)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(speaker.run)
        await speaker.begun.wait()
        with pytest.raises(DeadlineExceededError, match=r"0\.05"):
            await answer(b, asked(timeout_s=0.05))
        speaker.end.set()
    assert await answer(b) == "I am b"


async def test_a_model_that_can_never_fit_is_refused_with_figures_and_a_remedy() -> None:
    house = House(sizes={"a": 400 * MB, "large": 1200 * MB}, config=ONE_GB)
    await answer(house.residency.runtime(house.spec("a")))
    with pytest.raises(MemoryRefusedError, match="max_memory_usage") as caught:
        await answer(house.residency.runtime(house.spec("large")))
    assert caught.value.needed_bytes == 1200 * MB
    assert caught.value.budget_bytes == GB
    assert house.journal == ["load a"]


async def test_a_pinned_model_is_not_evicted_and_is_named_in_the_refusal() -> None:
    house = House(sizes={"a": 600 * MB, "b": 600 * MB}, config=ONE_GB)
    a, b = (house.residency.runtime(house.spec(name)) for name in "ab")
    a.pin()
    await answer(a)
    with pytest.raises(MemoryRefusedError, match="a") as caught:
        await answer(b)
    assert caught.value.pinned == ("a",)
    a.unpin()
    assert await answer(b) == "I am b"


async def test_what_the_machine_has_free_limits_loads_without_any_setting() -> None:
    hardware = machine(available_bytes=2 * GB, total_bytes=8 * GB)
    house = House(sizes={"a": 1200 * MB, "b": 3 * GB}, hardware=hardware)
    await answer(house.residency.runtime(house.spec("a")))
    with pytest.raises(MemoryRefusedError, match="is free for it"):
        await answer(house.residency.runtime(house.spec("b")))


async def test_memory_that_a_loaded_model_has_taken_counts_as_available_for_its_successor() -> None:
    hardware = machine(available_bytes=2 * GB, total_bytes=8 * GB)
    house = House(sizes={"a": 1200 * MB, "b": 1300 * MB}, hardware=hardware)
    await answer(house.residency.runtime(house.spec("a")))
    await answer(house.residency.runtime(house.spec("b")))
    assert house.journal == ["load a", "unload a", "load b"]


async def test_an_estimate_that_was_too_low_is_corrected_by_what_was_measured() -> None:
    house = House(sizes={"a": 400 * MB, "b": 500 * MB}, config=ONE_GB)
    a, b = (house.residency.runtime(house.spec(name)) for name in "ab")
    house.models["a"].rss_bytes = 600 * MB
    await answer(a)
    await answer(b)
    assert house.journal == ["load a", "unload a", "load b"]


async def test_models_that_outgrow_the_limit_together_lose_the_idle_one() -> None:
    house = House(sizes={"a": 400 * MB, "b": 500 * MB}, config=ONE_GB)
    a, b = (house.residency.runtime(house.spec(name)) for name in "ab")
    await answer(a)
    house.clock.advance(1)
    house.models["b"].rss_bytes = 700 * MB
    await answer(b)
    assert house.journal == ["load a", "load b", "unload a"]


async def test_room_for_a_cache_that_may_still_fill_is_kept_free() -> None:
    house = House(sizes={"a": 400 * MB, "b": 400 * MB}, config=ONE_GB, cache_bytes=150 * MB)
    for name in "ab":
        await answer(house.residency.runtime(house.spec(name)))
    assert house.journal == ["load a", "unload a", "load b"]


async def test_a_failed_load_frees_its_room_and_the_next_request_tries_again() -> None:
    house = House(sizes={"a": 600 * MB, "b": 600 * MB}, config=ONE_GB)
    a, b = (house.residency.runtime(house.spec(name)) for name in "ab")
    house.models["a"].failures.append(ModelLoadError(path="a.gguf", problem="it is odd"))
    with pytest.raises(ModelLoadError, match="odd"):
        await answer(a)
    assert await answer(b) == "I am b"
    assert await answer(a) == "I am a"
    assert house.journal == ["load a", "unload a", "load b", "unload b", "load a"]


async def test_everybody_who_waited_for_a_failed_load_is_told_so() -> None:
    house = House(sizes={"a": 600 * MB})
    a = house.residency.runtime(house.spec("a"))
    model = house.models["a"]
    model.gate = gate = anyio.Event()
    problems: list[str] = []

    async def ask() -> None:
        try:
            await answer(a)
        except (ModelLoadError, WorkerDiedError) as error:
            problems.append(type(error).__name__)

    model.failures += [ModelLoadError(path="a.gguf", problem="it is odd")] * 3
    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(ask)
        await settled()
        gate.set()
    assert problems == ["ModelLoadError"] * 3
    assert house.residency.holdings()[0].place is Place.ABSENT


async def test_a_process_that_was_killed_is_noticed_and_its_room_is_free() -> None:
    house = House(sizes={"a": 600 * MB, "b": 600 * MB}, config=ONE_GB)
    a, b = (house.residency.runtime(house.spec(name)) for name in "ab")
    await answer(a)
    house.models["a"].crash()
    assert await answer(a) == "I am a"
    assert house.residency.loads == 2
    house.models["a"].crash()
    assert await answer(b) == "I am b"


async def test_an_idle_model_is_unloaded_when_its_time_is_over() -> None:
    house = House(sizes={"a": 600 * MB})
    await answer(house.residency.runtime(house.spec("a")))
    house.clock.advance(299)
    house.background.ring()
    assert house.journal == ["load a"]
    house.clock.advance(2)
    house.background.ring()
    assert house.journal == ["load a", "unload a"]


async def test_a_keep_alive_of_zero_unloads_at_once_and_an_infinite_one_never() -> None:
    house = House(sizes={"a": 600 * MB, "b": 600 * MB})
    await answer(house.residency.runtime(house.spec("a", keep_alive_s=0)))
    await answer(house.residency.runtime(house.spec("b", keep_alive_s=math.inf)))
    assert house.journal == ["load a", "unload a", "load b"]
    assert house.background.timers == []


async def test_the_longest_keep_alive_of_those_who_share_a_model_counts() -> None:
    house = House(sizes={"a": 600 * MB})
    house.residency.runtime(house.spec("a", keep_alive_s=10))
    await answer(house.residency.runtime(house.spec("a", keep_alive_s=1000)))
    house.residency.runtime(house.spec("a", keep_alive_s=20))
    house.clock.advance(999)
    house.residency.sweep()
    assert house.journal == ["load a"]


async def test_idle_models_stay_where_unloading_is_turned_off() -> None:
    config = ResourceConfig(auto_unload_idle_models=False, power_management=False)
    house = House(sizes={"a": 600 * MB}, config=config)
    await answer(house.residency.runtime(house.spec("a")))
    house.clock.advance(1e9)
    house.residency.sweep()
    assert house.journal == ["load a"]


async def test_a_pinned_model_outlives_its_keep_alive() -> None:
    house = House(sizes={"a": 600 * MB})
    runtime = house.residency.runtime(house.spec("a", keep_alive_s=1))
    runtime.pin()
    await answer(runtime)
    house.clock.advance(100)
    house.residency.sweep()
    assert house.journal == ["load a"]
    runtime.unpin()
    house.clock.advance(2)
    house.residency.sweep()
    assert house.journal == ["load a", "unload a"]


async def test_closing_unloads_only_what_nobody_else_uses() -> None:
    house = House(sizes={"a": 600 * MB})
    first, second, unused = (house.residency.runtime(house.spec("a")) for _ in range(3))
    await answer(first)
    await answer(second)
    await first.aclose()
    assert house.journal == ["load a"]
    await second.aclose()
    assert house.journal == ["load a", "unload a"]
    assert await answer(unused) == "I am a"


async def test_closing_the_residency_unloads_everything_and_a_request_loads_again() -> None:
    house = House(sizes={"a": 600 * MB})
    runtime = house.residency.runtime(house.spec("a"))
    runtime.pin()
    await answer(runtime)
    await house.residency.aclose()
    assert house.journal == ["load a", "unload a"]
    assert await answer(runtime) == "I am a"


async def test_threads_are_fewer_on_battery_and_all_again_on_mains() -> None:
    house = House(sizes={"a": 600 * MB}, config=ResourceConfig())
    runtime = house.residency.runtime(house.spec("a"))
    house.power = PowerState(on_battery=True)
    await answer(runtime)
    assert house.models["a"].threads == 4
    house.power = PowerState(on_battery=False)
    house.clock.advance(10)
    await answer(runtime)
    assert house.models["a"].threads is None
    assert house.journal == ["load a"]


async def test_memory_pressure_unloads_idle_models_at_the_next_look() -> None:
    house = House(sizes={"a": 600 * MB}, config=ResourceConfig())
    await answer(house.residency.runtime(house.spec("a")))
    house.power = PowerState(memory_pressure_ratio=0.4)
    house.clock.advance(30)
    house.background.ring()
    assert house.journal == ["load a", "unload a"]
    assert house.residency.plan.strains == {Strain.MEMORY}


async def test_a_request_of_an_absent_model_is_not_overtaken_for_ever() -> None:
    house = House(sizes={"a": 600 * MB, "b": 600 * MB}, config=ONE_GB)
    a, b = (house.residency.runtime(house.spec(name)) for name in "ab")
    speakers = [Speaker(a) for _ in range(40)]
    answered = anyio.Event()
    overtakers = 0

    async def ask() -> None:
        await answer(b)
        answered.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(speakers[0].run)
        await speakers[0].begun.wait()
        tasks.start_soon(ask)
        await settled()
        for before, after in pairwise(speakers):
            tasks.start_soon(after.run)
            await settled()
            overtakers += after.begun.is_set()
            before.end.set()
            await settled()
            if answered.is_set():
                break
        for speaker in speakers:
            speaker.end.set()
        assert answered.is_set()
        # Those behind it are served as well.
    assert 5 < overtakers < 20


async def test_timing_begins_when_the_request_came() -> None:
    house = House(sizes={"a": 600 * MB})
    runtime = house.residency.runtime(house.spec("a"))
    house.models["a"].gate = gate = anyio.Event()

    async def open_later() -> None:
        await settled()
        house.clock.advance(3)
        gate.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(open_later)
        async with runtime.stream(asked()) as stream:
            async for _ in stream:
                pass
        assert stream.completion.timing.queued_s == 3


def test_threads_and_loops_share_one_residency() -> None:
    house = House(sizes={"a": 600 * MB, "b": 600 * MB}, config=ONE_GB)
    a, b = (house.residency.runtime(house.spec(name)) for name in "ab")
    answers: list[str] = []

    async def ask_often(first: ResidentRuntime, second: ResidentRuntime) -> None:
        for _ in range(10):
            answers.append(await answer(first))
            answers.append(await answer(second))

    threads = [
        threading.Thread(target=partial(anyio.run, ask_often, *pair))
        for pair in ((a, b), (b, a), (a, b), (b, a))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(answers) == 80
    assert not house.residency.holdings()[0].requests


async def test_a_model_that_is_there_costs_a_request_well_under_five_milliseconds() -> None:
    house = House(sizes={"a": 300 * MB, "b": 300 * MB}, config=ONE_GB)
    runtimes = [house.residency.runtime(house.spec(name)) for name in "ab"]
    for runtime in runtimes:
        await answer(runtime)
    took_s: list[float] = []
    for number in range(60):
        began_s = time.perf_counter()
        async with runtimes[number % 2].stream(asked()):
            took_s.append(time.perf_counter() - began_s)
    assert sorted(took_s)[30] < 0.005
