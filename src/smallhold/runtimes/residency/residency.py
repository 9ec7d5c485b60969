"""Models in memory: this file holds the residency that loads, keeps and unloads them."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import anyio
from anyio import to_thread

from smallhold.exceptions import (
    DeadlineExceededError,
    EngineNotInstalledError,
    QueueFullError,
    SmallholdError,
    WorkerDiedError,
)
from smallhold.generation import Scheduling
from smallhold.models.machine.hardware import Hardware, detect_hardware
from smallhold.models.machine.power import PowerState
from smallhold.runtimes.residency.background import Background, DaemonThreads
from smallhold.runtimes.residency.ledger import Ledger
from smallhold.runtimes.residency.power_plan import UNSTRAINED, PowerPlan, power_plan
from smallhold.runtimes.residency.power_watch import PowerWatch
from smallhold.runtimes.residency.residents import Holding, Place, Resident
from smallhold.runtimes.residency.resources import ResourceConfig
from smallhold.runtimes.residency.run_slots import RunSlots
from smallhold.runtimes.residency.runtime import ResidentRuntime
from smallhold.runtimes.residency.specs import Loadable, ModelSpec, Start
from smallhold.runtimes.residency.tickets import Ticket
from smallhold.runtimes.residency.trimming import trim_stores

if TYPE_CHECKING:
    from types import TracebackType

POWER_AGE_S: Final = 5.0
"""Battery and heat change slowly; the kernel's figure of memory pressure is a mean over 10 s."""
POWER_WATCH_S: Final = 30.0
"""How often idle models are looked at under power management, though their time is not over."""


class Residency:
    """Decides which models of this process are in memory.

    Of each model file with its settings at most one is loaded, whoever uses it. Safe to use from
    several threads and event loops at once. It runs no thread before a model is loaded.
    """

    def __init__(
        self,
        config: ResourceConfig | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        hardware: Callable[[], Hardware] = detect_hardware,
        power: Callable[[], PowerState] | None = None,
        start: Start | None = None,
        background: Background | None = None,
    ) -> None:
        """Make a residency without models.

        Args:
            config: What models may take; without one, what the machine has free.
            clock: Tells the time in seconds; goes forward only.
            hardware: Looks at the machine.
            power: Looks at battery, heat and memory pressure; by default of this machine.
            start: Makes what loads a model; by default into a worker process.
            background: Runs what no request waits for; by default in threads.
        """
        self.config = config or ResourceConfig()
        self._clock = clock
        self._power = power or PowerWatch()
        self._start = start or _start_worker
        self._background = background or DaemonThreads()
        self._lock = threading.Lock()
        self._ledger = Ledger(self.config, clock=clock, hardware=hardware)
        self._plan = UNSTRAINED
        self._looked_s = float("-inf")
        self._unloading: set[int] = set()
        self._call_off: Callable[[], None] | None = None
        self._rings_s = float("inf")
        self.runs = RunSlots(self.config.max_concurrent_agents)
        """Places for agents' runs."""

    def runtime(self, spec: ModelSpec) -> ResidentRuntime:
        """Give a runtime for a model, which is loaded at its first request.

        Raises:
            InvalidGGUFError: the file is not sound.
            EngineNotInstalledError: the native part is missing.
        """
        with self._lock:
            resident = self._ledger.resident(spec, start=self._start)
        return ResidentRuntime(self, resident, spec=spec)

    @property
    def plan(self) -> PowerPlan:
        """How models are run just now."""
        return self._plan

    @property
    def loads(self) -> int:
        """Models that were brought into memory so far."""
        return self._ledger.loads

    def holdings(self) -> tuple[Holding, ...]:
        """Say which models there are, loaded or not, and measure those that are."""
        with self._lock:
            for resident in self._ledger.residents:
                resident.measure(self._clock())
            return tuple(resident.holding() for resident in self._ledger.residents)

    @asynccontextmanager
    async def lease(
        self, user: ResidentRuntime, resident: Resident, *, scheduling: Scheduling
    ) -> AsyncGenerator[float]:
        """Have a model in memory for a request; hands out the seconds that it took to get it.

        Raises:
            DeadlineExceededError: the request's time was up first.
            MemoryRefusedError: the model cannot fit, whatever else is unloaded.
            EngineError: it cannot be loaded.
        """
        arrived_s = self._clock()
        await self.look()
        if resident.estimated_bytes is None:
            await to_thread.run_sync(partial(resident.footprint, self._ledger.hardware()))
        ticket = self._arrive(user, resident, priority=scheduling.priority)
        has_answered = False
        try:
            if not self._is_ready(ticket):
                with anyio.move_on_after(scheduling.timeout_s) as scope:
                    await self._get_ready(ticket)
                if scope.cancelled_caught:
                    raise DeadlineExceededError(limit_s=scheduling.timeout_s or 0.0)
            yield self._clock() - arrived_s
            has_answered = True
        finally:
            self._leave(ticket, has_answered=has_answered)

    async def release(self, user: ResidentRuntime, resident: Resident) -> None:
        """Let go of a model, and unload it unless somebody else uses it; it is gone on return."""
        with self._lock:
            resident.users.discard(user)
            resident.pinners.discard(user)
            if resident.is_usable and not resident.users:
                resident.leave()
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(self._follow_up)

    def pin(self, user: ResidentRuntime, resident: Resident) -> None:
        """Keep a model in memory once it is loaded, until its user unpins or closes it."""
        with self._lock:
            resident.pinners.add(user)
            resident.users.add(user)

    def unpin(self, user: ResidentRuntime, resident: Resident) -> None:
        """Let a model be unloaded again; for others to do, if they have pinned it too."""
        with self._lock:
            resident.pinners.discard(user)
            resident.last_used_s = self._clock()
        self._follow_up()

    def sweep(self) -> None:
        """Unload idle models whose time is over. A timer does so; calling it does no harm."""
        with self._lock:
            self._call_off, self._rings_s = None, float("inf")
        if self.config.power_management:
            self._see(self._power())
        self._follow_up()

    async def aclose(self) -> None:
        """Unload all models, also those that answer or are pinned; a later request loads again."""
        await to_thread.run_sync(self.close)

    def close(self) -> None:
        """Unload all models from synchronous code."""
        with self._lock:
            for resident in self._ledger.residents:
                resident.users.clear()
                resident.pinners.clear()
                if resident.is_usable:
                    resident.leave()
            unloading = self._to_unload()
        for resident in unloading:
            self._unload(resident)

    def __enter__(self) -> Residency:
        """Give itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Unload all models."""
        self.close()

    async def look(self) -> PowerPlan:
        """Look at battery, heat and memory pressure, unless that was done just now."""
        if self.config.power_management and self._clock() - self._looked_s >= POWER_AGE_S:
            self._see(await to_thread.run_sync(self._power))
        return self._plan

    def _see(self, state: PowerState) -> None:
        with self._lock:
            self._looked_s = self._clock()
            cores = self._ledger.hardware().usable_cores
            self._plan = power_plan(state, cores=cores, before=self._plan)

    def _arrive(self, user: ResidentRuntime, resident: Resident, *, priority: int) -> Ticket:
        with self._lock:
            resident.users.add(user)
            ticket = self._ledger.arrive(resident, priority=priority)
            self._ledger.settle()
            if not ticket.is_settled:
                ticket.expect()
            unloading = self._to_unload()
        self._unload_soon(unloading)
        return ticket

    def _is_ready(self, ticket: Ticket) -> bool:
        resident = ticket.resident
        return (
            ticket.is_granted
            and resident.place is Place.LOADED
            and resident.threads == self._plan.threads
        )

    async def _get_ready(self, ticket: Ticket) -> None:
        if not ticket.is_settled:
            await ticket.wait()
        if ticket.refusal is not None:
            raise ticket.refusal
        resident, threads = ticket.resident, self._plan.threads
        if self._is_ready(ticket):
            return
        self._require_current(ticket)
        began_s = self._clock()
        try:
            await resident.loadable.load(threads=threads)
        except QueueFullError:
            raise
        except SmallholdError as error:
            with self._lock:
                self._ledger.fail(ticket, error)
            raise
        with self._lock:
            is_loaded = self._ledger.loaded(ticket, threads=threads, took_s=self._clock() - began_s)
            unloading = self._to_unload()
        self._unload_soon(unloading)
        if not is_loaded:
            self._require_current(ticket)
        self._trim_soon(resident)

    def _require_current(self, ticket: Ticket) -> None:
        """Refuse to go on with a load that has failed, or with a model that was closed."""
        resident = ticket.resident
        if ticket.generation != resident.generation or not resident.is_usable:
            if resident.failure is not None:
                raise resident.failure
            raise WorkerDiedError(model=resident.spec.name, cause="the engine was closed")

    def _leave(self, ticket: Ticket, *, has_answered: bool) -> None:
        with self._lock:
            ticket.put_away()
            self._ledger.withdraw(ticket, has_answered=has_answered)
            unloading = self._tend()
        self._unload_soon(unloading)

    def _follow_up(self) -> None:
        """Do what is due, and wait until it is done."""
        with self._lock:
            unloading = self._tend()
        for resident in unloading:
            self._unload(resident)

    def _tend(self) -> list[Resident]:
        """Settle who waits, and find what is to be unloaded."""
        self._ledger.settle()
        self._ledger.relieve()
        self._set_timer(self._ledger.expire(ratio=self._plan.keep_alive_ratio))
        return self._to_unload()

    def _to_unload(self) -> list[Resident]:
        """Models that are marked and that nobody unloads yet."""
        found = [it for it in self._ledger.leaving() if it.key not in self._unloading]
        self._unloading.update(resident.key for resident in found)
        return found

    def _unload_soon(self, residents: list[Resident]) -> None:
        for resident in residents:
            self._background.soon(partial(self._unload, resident))

    def _unload(self, resident: Resident) -> None:
        try:
            resident.loadable.unload()
        finally:
            with self._lock:
                self._unloading.discard(resident.key)
                self._ledger.unloaded(resident)
                unloading = self._tend()
            self._unload_soon(unloading)

    def _set_timer(self, wait_s: float | None) -> None:
        """Look again in time; a timer that rings too early only looks in vain."""
        if wait_s is not None and self.config.power_management:
            wait_s = min(wait_s, POWER_WATCH_S)
        if wait_s is None:
            if self._call_off is not None:
                self._call_off()
            self._call_off, self._rings_s = None, float("inf")
            return
        rings_s = self._clock() + wait_s
        if rings_s < self._rings_s:
            if self._call_off is not None:
                self._call_off()
            self._rings_s = rings_s
            self._call_off = self._background.later(wait_s, self.sweep)

    def _trim_soon(self, resident: Resident) -> None:
        limit_bytes = self.config.model_cache_bytes
        if limit_bytes is None or resident.spec.stored is None:
            return
        with self._lock:
            kept = [it.spec for it in self._ledger.residents if it.is_held or it.pinners]
        store = resident.spec.stored.store
        self._background.soon(partial(trim_stores, store, limit_bytes=limit_bytes, kept=kept))


def _start_worker(spec: ModelSpec) -> Loadable:
    # Not at import: agents on other runtimes need no engine installed.
    try:
        from smallhold.runtimes.residency.worker_model import (  # noqa: PLC0415 - see above
            start_worker_model,
        )
    except ModuleNotFoundError as error:
        raise EngineNotInstalledError(missing=str(error.name)) from error
    return start_worker_model(spec)
