from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallhold.runtimes.residency.admission import MAX_OVERTAKES, TurnPlan, Waiting, plan_turn
from smallhold.runtimes.residency.eviction import HeldModel

BUDGET = 100


def held(key: int, size: int, *, used: float = 0.0, leases: int = 0, **more: bool) -> HeldModel:
    return HeldModel(key=key, size_bytes=size, last_used_s=used, leases=leases, **more)


def waits(number: int, key: int, needed: int, *, overtaken: int = 0, priority: int = 1) -> Waiting:
    return Waiting(
        number=number, key=key, needed_bytes=needed, overtaken=overtaken, priority=priority
    )


def test_a_request_for_a_model_that_is_there_is_granted() -> None:
    plan = plan_turn([held(0, 60)], [waits(1, 0, 60)], budget_bytes=BUDGET)
    assert plan.granted == (1,)
    assert not plan.loads


def test_a_model_is_loaded_once_for_all_who_want_it() -> None:
    plan = plan_turn([], [waits(1, 0, 60), waits(2, 0, 60)], budget_bytes=BUDGET)
    assert plan.granted == (1, 2)
    assert plan.loads == (0,)


def test_a_load_waits_until_what_makes_room_is_gone() -> None:
    plan = plan_turn([held(0, 60)], [waits(1, 1, 60)], budget_bytes=BUDGET)
    assert plan.evictions == (0,)
    assert not plan.loads
    leaving = held(0, 60, is_leaving=True)
    again = plan_turn([leaving], [waits(1, 1, 60)], budget_bytes=BUDGET)
    assert not again.evictions
    assert not again.loads
    assert plan_turn([], [waits(1, 1, 60)], budget_bytes=BUDGET).loads == (1,)


def test_room_that_becomes_free_for_one_request_is_not_given_to_the_next() -> None:
    models = [held(0, 90, is_leaving=True)]
    plan = plan_turn(models, [waits(1, 1, 95), waits(2, 2, 5)], budget_bytes=BUDGET)
    assert not plan.loads


def test_a_later_request_may_use_room_that_a_waiting_one_cannot_use() -> None:
    models = [held(0, 60, leases=1)]
    plan = plan_turn(models, [waits(1, 1, 90), waits(2, 2, 20)], budget_bytes=BUDGET)
    assert plan.loads == (2,)
    assert plan.overtaken == ((1, 1),)


def test_a_request_that_was_overtaken_often_has_its_models_place_cleared() -> None:
    models = [held(0, 60, leases=1)]
    starving = waits(1, 1, 90, overtaken=MAX_OVERTAKES)
    plan = plan_turn(models, [starving, waits(2, 0, 60)], budget_bytes=BUDGET)
    assert not plan.granted


def test_a_model_that_is_not_in_the_way_goes_on_answering() -> None:
    models = [held(0, 60, leases=1, used=1), held(1, 10, leases=1, used=2)]
    starving = waits(1, 2, 80, overtaken=MAX_OVERTAKES)
    plan = plan_turn(models, [starving, waits(2, 0, 60), waits(3, 1, 10)], budget_bytes=BUDGET)
    assert plan.granted == (3,)


def test_what_no_eviction_could_make_fit_is_refused() -> None:
    plan = plan_turn([], [waits(1, 0, 101)], budget_bytes=BUDGET)
    assert plan.refused == (1,)
    pinned = held(0, 60, is_pinned=True)
    assert plan_turn([pinned], [waits(1, 1, 60)], budget_bytes=BUDGET).refused == (1,)


def test_urgent_requests_get_their_models_first() -> None:
    wanted = [waits(1, 0, 60, priority=2), waits(2, 1, 60, priority=0)]
    assert plan_turn([], wanted, budget_bytes=BUDGET).loads == (1,)


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[HeldModel], list[Waiting]]:
    sizes = [draw(st.integers(1, 120)) for _ in range(5)]
    models: list[HeldModel] = []
    free = BUDGET
    for key in range(5):
        if sizes[key] <= free and draw(st.booleans()):
            free -= sizes[key]
            models.append(
                HeldModel(
                    key=key,
                    size_bytes=sizes[key],
                    last_used_s=draw(st.integers(0, 3)),
                    leases=draw(st.integers(0, 2)),
                    is_pinned=draw(st.booleans()),
                    is_leaving=draw(st.booleans()),
                )
            )
    waiting = [
        Waiting(
            number=number,
            key=(key := draw(st.integers(0, 4))),
            needed_bytes=sizes[key],
            priority=draw(st.integers(0, 2)),
            overtaken=draw(st.sampled_from([0, MAX_OVERTAKES])),
        )
        for number in range(draw(st.integers(0, 6)))
    ]
    return models, waiting


@given(situations())
def test_loads_never_exceed_the_budget(situation: tuple[list[HeldModel], list[Waiting]]) -> None:
    models, waiting = situation
    plan = plan_turn(models, waiting, budget_bytes=BUDGET)
    sizes = {request.key: request.needed_bytes for request in waiting}
    taken = sum(model.size_bytes for model in models) + sum(sizes[key] for key in plan.loads)
    assert taken <= BUDGET


@given(situations())
def test_no_busy_or_pinned_model_is_evicted_and_none_that_is_granted(
    situation: tuple[list[HeldModel], list[Waiting]],
) -> None:
    models, waiting = situation
    plan = plan_turn(models, waiting, budget_bytes=BUDGET)
    by_key = {model.key: model for model in models}
    granted = {request.key for request in waiting if request.number in plan.granted}
    for key in plan.evictions:
        assert by_key[key].is_evictable
        assert key not in granted


@given(situations())
def test_each_request_is_granted_refused_or_waits(
    situation: tuple[list[HeldModel], list[Waiting]],
) -> None:
    models, waiting = situation
    plan = plan_turn(models, waiting, budget_bytes=BUDGET)
    assert not set(plan.granted) & set(plan.refused)
    assert len(set(plan.granted)) == len(plan.granted)
    usable = {model.key for model in models if not model.is_leaving} | set(plan.loads)
    for request in waiting:
        if request.number in plan.granted:
            assert request.key in usable


@given(situations())
def test_requests_for_one_model_are_granted_in_their_order(
    situation: tuple[list[HeldModel], list[Waiting]],
) -> None:
    models, waiting = situation
    plan = plan_turn(models, waiting, budget_bytes=BUDGET)
    for key in range(5):
        like = [it for it in waiting if it.key == key and it.priority == 1 and not it.overtaken]
        granted = [it.number in plan.granted for it in like]
        assert granted == sorted(granted, reverse=True)


@dataclass(slots=True, kw_only=True)
class Simulation:
    """Clients that ask one thing after the other, of models of given sizes."""

    sizes: list[int]
    clients: int
    random: Random
    held: dict[int, int] = field(default_factory=dict[int, int])
    """Loaded models with the time of their last use."""
    waiting: dict[int, Waiting] = field(default_factory=dict[int, Waiting])
    running: dict[int, int] = field(default_factory=dict[int, int])
    """Requests that are answered, with their models."""
    now: int = 0
    number: int = 0
    most_overtaken: int = 0
    finished: int = 0

    def play(self, requests: int) -> None:
        for _ in range(50 * requests):
            self._ask(requests)
            plan = self._plan()
            if self.finished == requests:
                return
            can_go_on = plan.granted or plan.evictions or plan.loads
            assert self.running or can_go_on, "nobody can go on"
            if self.running:
                done = self.random.choice(sorted(self.running))
                self.held[self.running.pop(done)] = self.now
                self.finished += 1
        pytest.fail("somebody waits for ever")

    def _ask(self, requests: int) -> None:
        while len(self.waiting) + len(self.running) < self.clients and self.number < requests:
            key = self.random.randrange(len(self.sizes))
            self.waiting[self.number] = waits(self.number, key, self.sizes[key])
            self.number += 1

    def _plan(self) -> TurnPlan:
        self.now += 1
        leases = Counter(self.running.values())
        plan = plan_turn(
            [
                held(key, self.sizes[key], used=used, leases=leases[key])
                for key, used in self.held.items()
            ],
            list(self.waiting.values()),
            budget_bytes=BUDGET,
        )
        for key in plan.evictions:
            del self.held[key]
        for key in plan.loads:
            self.held[key] = self.now
        assert sum(self.sizes[key] for key in self.held) <= BUDGET
        for number, times in plan.overtaken:
            it = self.waiting[number]
            overtaken = it.overtaken + times
            self.waiting[number] = waits(number, it.key, it.needed_bytes, overtaken=overtaken)
            self.most_overtaken = max(self.most_overtaken, overtaken)
        for number in plan.granted:
            self.running[number] = self.waiting.pop(number).key
        return plan


@settings(max_examples=60)
@given(
    st.lists(st.integers(10, BUDGET), min_size=1, max_size=5),
    st.integers(1, 8),
    st.integers(0, 1000),
)
def test_everybody_has_a_turn_and_is_not_overtaken_for_ever(
    sizes: list[int], clients: int, seed: int
) -> None:
    simulation = Simulation(sizes=sizes, clients=clients, random=Random(seed))  # noqa: S311 - the same course every time
    simulation.play(60)
    # Who is about to be served first may still see all other clients go at once.
    assert simulation.most_overtaken < 2 * MAX_OVERTAKES + 4 * clients
