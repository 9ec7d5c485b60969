from __future__ import annotations

import pytest
from tests.runtimes.residency.scripted_models import GB, MB, House, ScriptedModel, machine

from smallhold.exceptions import MemoryRefusedError
from smallhold.models import Hardware
from smallhold.runtimes.residency import ModelSpec, ResourceConfig
from smallhold.runtimes.residency.ledger import Ledger
from smallhold.runtimes.residency.residents import Place, Resident
from smallhold.runtimes.residency.specs import Footprint
from smallhold.testing import ManualClock, ScriptedRuntime


class Books:
    """A ledger with models of 600 MB, under a limit of 1 GB."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.house = House(sizes={})
        self.looks = 0
        config = ResourceConfig(max_memory_usage=GB, power_management=False)
        self.ledger = Ledger(config, clock=self.clock, hardware=self._look)

    def _look(self) -> Hardware:
        self.looks += 1
        return machine()

    def start(self, spec: ModelSpec) -> ScriptedModel:
        return ScriptedModel(
            footprint=Footprint(resident_bytes=600 * MB),
            journal=[],
            name=spec.name,
            runtime=ScriptedRuntime(),
        )

    def resident(self, name: str) -> Resident:
        return self.ledger.resident(self.house.spec(name), start=self.start)


@pytest.fixture
def books() -> Books:
    return Books()


def test_a_load_begins_with_the_first_request_and_counts_once(books: Books) -> None:
    a = books.resident("a")
    first, second = (books.ledger.arrive(a, priority=1) for _ in range(2))
    books.ledger.settle()
    assert first.is_granted
    assert second.is_granted
    assert a.place is Place.LOADING
    assert books.ledger.loads == 1


def test_an_eviction_is_marked_and_the_request_waits_until_it_is_done(books: Books) -> None:
    a, b = books.resident("a"), books.resident("b")
    ticket = books.ledger.arrive(a, priority=1)
    books.ledger.settle()
    books.ledger.withdraw(ticket, has_answered=True)
    waiting = books.ledger.arrive(b, priority=1)
    books.ledger.settle()
    assert books.ledger.leaving() == [a]
    assert not waiting.is_settled
    books.ledger.unloaded(a)
    books.ledger.settle()
    assert waiting.is_granted


def test_a_refusal_names_what_is_needed_and_what_there_is(books: Books) -> None:
    a, b = books.resident("a"), books.resident("b")
    books.ledger.arrive(a, priority=1)
    books.ledger.settle()
    books.ledger.residents[1].peak_rss_bytes = 2 * GB
    ticket = books.ledger.arrive(b, priority=1)
    books.ledger.settle()
    assert isinstance(ticket.refusal, MemoryRefusedError)
    assert ticket.refusal.needed_bytes == 2 * GB
    assert ticket.refusal.is_limited


def test_a_late_word_of_an_earlier_load_changes_nothing(books: Books) -> None:
    a = books.resident("a")
    early = books.ledger.arrive(a, priority=1)
    books.ledger.settle()
    a.leave()
    books.ledger.unloaded(a)
    late = books.ledger.arrive(a, priority=1)
    books.ledger.settle()
    assert not books.ledger.loaded(early, threads=None, took_s=1.0)
    assert a.place is Place.LOADING
    books.ledger.withdraw(early, has_answered=False)
    assert a.leases == {late.number}


def test_a_load_that_was_given_up_before_it_began_is_undone(books: Books) -> None:
    a = books.resident("a")
    ticket = books.ledger.arrive(a, priority=1)
    books.ledger.settle()
    a.leave()
    books.ledger.unloaded(a)
    assert not books.ledger.loaded(ticket, threads=None, took_s=1.0)
    assert books.ledger.leaving() == [a]


def test_the_machine_is_looked_at_now_and_then_only(books: Books) -> None:
    for _ in range(5):
        books.ledger.hardware()
    assert books.looks == 1
    books.clock.advance(1)
    books.ledger.hardware()
    assert books.looks == 2
