"""One model of a residency: this file holds what is known of it, loaded or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from smallhold.exceptions import SmallholdError
from smallhold.models.machine.hardware import Hardware
from smallhold.runtimes.residency.eviction import HeldModel
from smallhold.runtimes.residency.keep_alive import IdleModel
from smallhold.runtimes.residency.sizing import expected_bytes
from smallhold.runtimes.residency.specs import Footprint, Loadable, ModelSpec, ProcessMemory

if TYPE_CHECKING:
    from smallhold.runtimes.residency.runtime import ResidentRuntime

REST_S: Final = 10.0
"""A worker that rests does what makes later requests quicker, such as preparing for grammars; it
then takes its full size."""


class Place(StrEnum):
    """Where a model is."""

    ABSENT = "absent"
    LOADING = "loading"
    LOADED = "loaded"
    LEAVING = "leaving"
    """It is being unloaded, and takes its memory until that is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A model of a residency, as it is at one moment."""

    name: str
    place: Place
    size_bytes: int | None
    """What it may take at most; `None` before it was asked anything."""
    estimated_bytes: int | None
    """What was estimated from the file alone, without the prefix cache."""
    peak_rss_bytes: int
    """The most that its process was seen to take; 0 if it never was."""
    requests: int
    """Requests that it answers."""
    is_pinned: bool
    load_s: float | None
    """How long its latest load took."""


@dataclass(slots=True, kw_only=True, eq=False)
class Resident:
    """A model file with its settings. Everything happens under the residency's lock."""

    key: int
    spec: ModelSpec
    loadable: Loadable
    place: Place = Place.ABSENT
    generation: int = 0
    """Number of the latest load."""
    leases: set[int] = field(default_factory=set[int])
    """Tickets of the requests that it is loaded for."""
    users: WeakSet[ResidentRuntime] = field(default_factory=WeakSet["ResidentRuntime"])
    """Runtimes that have asked it something and were not closed."""
    pinners: WeakSet[ResidentRuntime] = field(default_factory=WeakSet["ResidentRuntime"])
    last_used_s: float = 0.0
    threads: int | None = None
    """What it was told to compute with."""
    has_answered: bool = False
    """Since it was loaded."""
    is_known: bool = False
    """Whether it was measured, in any of its loads, when all of its buffers had been in use."""
    peak_rss_bytes: int = 0
    load_s: float | None = None
    """How long its latest load took."""
    memory: ProcessMemory | None = None
    """What it took when it was measured last; `None` while no process holds it."""
    failure: SmallholdError | None = None
    """Why its latest load failed."""
    _keep_alive_s: float | None = None
    _footprint: Footprint | None = None

    @property
    def is_held(self) -> bool:
        """Whether it takes memory."""
        return self.place is not Place.ABSENT

    @property
    def is_usable(self) -> bool:
        """Whether a request can be sent to it, or will be once it is loaded."""
        return self.place in {Place.LOADING, Place.LOADED}

    @property
    def is_idle(self) -> bool:
        """Whether it is there for nobody."""
        return self.is_usable and not self.leases

    def footprint(self, hardware: Hardware) -> Footprint:
        """Estimate what it takes, once. Raises `InvalidGGUFError`."""
        if self._footprint is None:
            self._footprint = self.loadable.estimate(hardware)
        return self._footprint

    @property
    def estimated_bytes(self) -> int | None:
        """The estimate of its memory without the prefix cache; `None` before it was wanted."""
        return None if self._footprint is None else self._footprint.resident_bytes

    @property
    def known_bytes(self) -> int | None:
        """What it will take at most; `None` before it was wanted."""
        if self._footprint is None:
            return None
        return expected_bytes(
            self._footprint, peak_rss_bytes=self.peak_rss_bytes, is_known=self.is_known
        )

    def size_bytes(self, hardware: Hardware) -> int:
        """Say what it will take at most, by estimate and measurement."""
        self.footprint(hardware)
        return self.known_bytes or 0

    def held(self, hardware: Hardware, *, wanted: int) -> HeldModel:
        """Show it to a plan."""
        return HeldModel(
            key=self.key,
            size_bytes=self.size_bytes(hardware),
            last_used_s=self.last_used_s,
            leases=len(self.leases),
            is_pinned=bool(self.pinners),
            is_leaving=self.place is Place.LEAVING,
            wanted=wanted,
        )

    def idle(self, *, default_s: float) -> IdleModel:
        """Show it to the plan for idle models."""
        keep_alive_s = default_s if self._keep_alive_s is None else self._keep_alive_s
        return IdleModel(key=self.key, idle_since_s=self.last_used_s, keep_alive_s=keep_alive_s)

    def holding(self) -> Holding:
        """Say how it is."""
        return Holding(
            name=self.spec.name,
            place=self.place,
            size_bytes=self.known_bytes,
            estimated_bytes=self.estimated_bytes,
            peak_rss_bytes=self.peak_rss_bytes,
            requests=len(self.leases),
            is_pinned=bool(self.pinners),
            load_s=self.load_s,
        )

    def wish(self, keep_alive_s: float | None) -> None:
        """Take note of how long a runtime wants it to stay; the longest counts."""
        if keep_alive_s is not None:
            self._keep_alive_s = max(keep_alive_s, self._keep_alive_s or 0.0)

    def begin(self) -> None:
        """It is going to be loaded."""
        self.place = Place.LOADING
        self.generation += 1
        self.failure = None
        self.threads = None
        self.has_answered = False
        self.memory = None

    def leave(self) -> None:
        """It is going to be unloaded, whoever uses it."""
        self.place = Place.LEAVING
        self.leases.clear()

    def gone(self) -> None:
        """It takes no memory any more."""
        self.place = Place.ABSENT
        self.memory = None

    def measure(self, now_s: float) -> bool:
        """Look at its process; false where that has ended by itself."""
        self.memory = self.loadable.memory()
        if self.memory is not None:
            self.peak_rss_bytes = max(self.peak_rss_bytes, self.memory.rss_bytes)
            has_rested = self.is_idle and now_s - self.last_used_s >= REST_S
            self.is_known = self.is_known or (self.has_answered and has_rested)
        return self.memory is not None or self.place is not Place.LOADED
