"""Who holds which model, and who waits for one: this file holds the books of a residency.

Decisions come from pure plans; here they are written down. Nothing waits and nothing is loaded or
unloaded here: what is to be unloaded is handed to the caller, who holds the lock.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from smallhold.exceptions import MemoryRefusedError, SmallholdError
from smallhold.models.machine.hardware import Hardware
from smallhold.runtimes.residency.admission import TurnPlan, Waiting, plan_turn
from smallhold.runtimes.residency.eviction import plan_eviction
from smallhold.runtimes.residency.keep_alive import plan_idle
from smallhold.runtimes.residency.residents import Place, Resident
from smallhold.runtimes.residency.resources import ResourceConfig
from smallhold.runtimes.residency.sizing import memory_budget
from smallhold.runtimes.residency.specs import ModelSpec, Start
from smallhold.runtimes.residency.tickets import Ticket

_HARDWARE_AGE_S: Final = 0.5
"""Looking at the machine takes some milliseconds."""

_log = logging.getLogger(__name__)


class Ledger:
    """Models and waiting requests of one residency. Not safe for threads: its owner locks."""

    def __init__(
        self,
        config: ResourceConfig,
        *,
        clock: Callable[[], float],
        hardware: Callable[[], Hardware],
    ) -> None:
        self._config = config
        self._max_bytes = config.max_memory_bytes
        self._clock = clock
        self._detect = hardware
        self._hardware: tuple[float, Hardware] | None = None
        self._tickets = 0
        self.residents: list[Resident] = []
        self.waiting: list[Ticket] = []
        self.loads = 0
        """Models that were brought into memory so far."""

    def resident(self, spec: ModelSpec, *, start: Start) -> Resident:
        """Find the model of a spec, or take it in; it is not loaded."""
        for resident in self.residents:
            if resident.spec.loads_as(spec):
                resident.wish(spec.keep_alive_s)
                return resident
        resident = Resident(key=len(self.residents), spec=spec, loadable=start(spec))
        resident.wish(spec.keep_alive_s)
        self.residents.append(resident)
        return resident

    def arrive(self, resident: Resident, *, priority: int) -> Ticket:
        """Take in a request; it is granted at once where its model is there and nobody waits."""
        self._tickets += 1
        ticket = Ticket(number=self._tickets, resident=resident, priority=priority)
        if (
            resident.place is Place.LOADED
            and not resident.leases
            and not resident.measure(self._clock())
        ):
            self._lose(resident)
        if resident.is_usable and not self.waiting:
            self._grant(ticket)
        else:
            self.waiting.append(ticket)
        return ticket

    def withdraw(self, ticket: Ticket, *, has_answered: bool) -> None:
        """Take a request out, answered or not."""
        resident = ticket.resident
        if not ticket.is_granted:
            if ticket in self.waiting:
                self.waiting.remove(ticket)
        elif ticket.generation == resident.generation and resident.is_usable:
            resident.leases.discard(ticket.number)
            resident.last_used_s = self._clock()
            resident.has_answered = resident.has_answered or has_answered
            if not resident.leases and not resident.measure(resident.last_used_s):
                self._lose(resident)

    def loaded(self, ticket: Ticket, *, threads: int | None, took_s: float) -> bool:
        """Note that a model is in memory; false where it was given up meanwhile."""
        resident = ticket.resident
        if ticket.generation != resident.generation or not resident.is_usable:
            if resident.place is Place.ABSENT:
                # It was closed just before this load began: nobody else would end its process.
                resident.leave()
            return False
        resident.threads = threads
        if resident.place is Place.LOADING:
            resident.place = Place.LOADED
            resident.load_s = took_s
            resident.measure(self._clock())
            _log.info("residency.loaded", extra={"model": resident.spec.name, "seconds": took_s})
        return True

    def fail(self, ticket: Ticket, error: SmallholdError) -> None:
        """Note that a model could not be loaded, or that its process has gone."""
        resident = ticket.resident
        if ticket.generation == resident.generation and resident.is_usable:
            resident.failure = error
            resident.leave()
            _log.warning(
                "residency.load_failed",
                extra={"model": resident.spec.name, "error": type(error).__name__},
            )

    def unloaded(self, resident: Resident) -> None:
        """Note that a model takes no memory any more."""
        resident.gone()
        self._hardware = None

    def settle(self) -> None:
        """Grant, refuse, begin loads and mark models for unloading, as far as it can go now."""
        while self.waiting:
            plan = self._turn()
            self._carry_out(plan)
            if not plan.refused:
                # A refused request was in nobody's way, but its room was not counted free.
                return

    def relieve(self) -> None:
        """Mark idle models for unloading where all together have outgrown the user's limit."""
        if self._max_bytes is None:
            return
        hardware = self._seen()
        models = [it.held(hardware, wanted=0) for it in self.residents if it.is_held]
        staying = sum(model.size_bytes for model in models if not model.is_leaving)
        plan = plan_eviction(models, needed_bytes=staying - self._max_bytes)
        for key in plan.keys:
            self._evict(self.residents[key], event="residency.outgrown")

    def expire(self, *, ratio: float) -> float | None:
        """Mark models whose time is over, and say in how many seconds the next one's will be."""
        if not self._config.auto_unload_idle_models:
            return None
        idle = [
            resident.idle(default_s=self._config.keep_alive_s)
            for resident in self.residents
            if resident.is_idle and not resident.pinners
        ]
        plan = plan_idle(idle, now_s=self._clock(), ratio=ratio)
        for key in plan.expired:
            self._evict(self.residents[key], event="residency.expired")
        return plan.wait_s

    def leaving(self) -> list[Resident]:
        """Models that are marked for unloading."""
        return [resident for resident in self.residents if resident.place is Place.LEAVING]

    def hardware(self) -> Hardware:
        """Look at the machine, or remember what was seen just now."""
        now_s = self._clock()
        if self._hardware is None or now_s - self._hardware[0] > _HARDWARE_AGE_S:
            self._hardware = now_s, self._detect()
        return self._hardware[1]

    def budget_bytes(self) -> int:
        """What all models may take together, just now."""
        hardware = self.hardware()
        held = [resident for resident in self.residents if resident.is_held]
        for resident in held:
            resident.measure(self._clock())
        taken = [resident.memory for resident in held if resident.memory is not None]
        return memory_budget(hardware, taken, max_bytes=self._max_bytes)

    def _seen(self) -> Hardware:
        """The machine as it was seen last: sizes that were estimated do not change with it."""
        return self.hardware() if self._hardware is None else self._hardware[1]

    def _turn(self) -> TurnPlan:
        hardware = self._seen()
        wanted = Counter(ticket.resident.key for ticket in self.waiting)
        needs_room = any(not ticket.resident.is_usable for ticket in self.waiting)
        return plan_turn(
            [it.held(hardware, wanted=wanted[it.key]) for it in self.residents if it.is_held],
            [
                Waiting(
                    number=ticket.number,
                    key=ticket.resident.key,
                    needed_bytes=ticket.resident.size_bytes(hardware),
                    priority=ticket.priority,
                    overtaken=ticket.overtaken,
                )
                for ticket in self.waiting
            ],
            budget_bytes=self.budget_bytes() if needs_room else 0,
        )

    def _carry_out(self, plan: TurnPlan) -> None:
        tickets = {ticket.number: ticket for ticket in self.waiting}
        for key in plan.evictions:
            self._evict(self.residents[key], event="residency.evicted")
        for key in plan.loads:
            self.residents[key].begin()
            self.loads += 1
            self._hardware = None
        for number, times in plan.overtaken:
            tickets[number].overtaken += times
        for number in plan.granted:
            self._grant(tickets[number])
        for number in plan.refused:
            tickets[number].refuse(self._refusal(tickets[number].resident))
        self.waiting = [ticket for ticket in self.waiting if not ticket.is_settled]

    def _grant(self, ticket: Ticket) -> None:
        resident = ticket.resident
        resident.leases.add(ticket.number)
        resident.last_used_s = self._clock()
        ticket.grant(resident.generation)

    def _evict(self, resident: Resident, *, event: str) -> None:
        resident.leave()
        _log.info(event, extra={"model": resident.spec.name})

    def _lose(self, resident: Resident) -> None:
        _log.warning("residency.lost", extra={"model": resident.spec.name})
        resident.leave()

    def _refusal(self, resident: Resident) -> MemoryRefusedError:
        hardware, budget_bytes = self.hardware(), self.budget_bytes()
        pinned: Sequence[str] = [
            other.spec.name for other in self.residents if other.is_held and other.pinners
        ]
        return MemoryRefusedError(
            model=resident.spec.name,
            needed_bytes=resident.size_bytes(hardware),
            budget_bytes=budget_bytes,
            is_limited=budget_bytes == (self._max_bytes or math.inf),
            pinned=pinned,
        )
