"""Which model a runtime is for: this file holds what tells a residency how to load one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from smallhold.engine.config import ModelConfig
from smallhold.models.calibration import Calibration
from smallhold.models.machine.hardware import Hardware
from smallhold.runtimes.dialects import HERMES, CallDialect
from smallhold.runtimes.protocol import Runtime
from smallhold.runtimes.residency.resources import check_keep_alive

if TYPE_CHECKING:
    from smallhold.models.catalog.catalog import CatalogEntry
    from smallhold.models.store.store import ModelStore


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredModel:
    """Where a model's file comes from, so that the store knows when it is in use."""

    store: ModelStore
    """Opened with `verify_on_load`, it has the file hashed at each load."""
    entry: CatalogEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """A model file with the settings that it is loaded with.

    Specs with equal settings share one loaded model, whatever they call it.

    Raises:
        ConfigError: `keep_alive_s` is negative.
    """

    config: ModelConfig
    dialect: CallDialect = HERMES
    calibration: Calibration | None = None
    keep_alive_s: float | None = None
    """Seconds that the model stays after its last request; `None` takes the residency's. Of several
    specs of one model, the longest counts."""
    stored: StoredModel | None = None
    """`None` for a file outside the store."""

    def __post_init__(self) -> None:
        """Check the time."""
        check_keep_alive(self.keep_alive_s)

    @property
    def name(self) -> str:
        """Name of the model for errors and traces."""
        return self.config.name

    def loads_as(self, other: ModelSpec) -> bool:
        """Whether both mean the same bytes in memory."""
        return replace(self.config, name="") == replace(other.config, name="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """What a model is expected to take, in bytes of resident memory."""

    resident_bytes: int
    """Once it has answered."""
    cache_bytes: int = 0
    """What its prefix cache may take on top, with use."""

    @property
    def total_bytes(self) -> int:
        """Everything, with the prefix cache full."""
        return self.resident_bytes + self.cache_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessMemory:
    """What a loaded model takes right now."""

    rss_bytes: int
    """Resident memory of its process, mapped pages of files included."""
    private_bytes: int
    """The part that is no page of a file: the system counts the other part as available."""


class Loadable(Protocol):
    """A model that can be brought into memory, and out again."""

    @property
    def runtime(self) -> Runtime:
        """What answers requests while it is loaded; limits are known before."""
        ...

    def estimate(self, hardware: Hardware) -> Footprint:
        """Say what it will take. Raises `InvalidGGUFError` for an unsound file."""
        ...

    def memory(self) -> ProcessMemory | None:
        """Measure what it takes; `None` while no process holds it."""
        ...

    async def load(self, *, threads: int | None) -> None:
        """Bring it into memory unless it is, and have it compute with so many threads.

        Args:
            threads: `None` takes what its settings say.

        Raises:
            ModelError: the file is not what the store holds.
            EngineError: it cannot be loaded.
        """
        ...

    def unload(self) -> None:
        """Free its memory; all of it is free when this returns. Waits, but not on an event loop."""
        ...


Start = Callable[[ModelSpec], Loadable]
"""Makes what loads a model; nothing is loaded yet."""
