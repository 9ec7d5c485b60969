"""A model in a worker process, as a residency loads it: this file holds the embedded `Loadable`."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack
from functools import partial
from typing import Final

import psutil
from anyio import to_thread

from smallhold.engine.footprint import estimate_config
from smallhold.exceptions import EngineNotInstalledError
from smallhold.models.machine.hardware import Hardware
from smallhold.runtimes.residency.specs import Footprint, ModelSpec, ProcessMemory, StoredModel

try:
    from smallhold.runtimes.embedded import EmbeddedRuntime
except ModuleNotFoundError as error:
    raise EngineNotInstalledError(missing=str(error.name)) from error

_log: Final = logging.getLogger(__name__)


class WorkerModel:
    """A GGUF file and the worker process that holds it.

    Raises:
        InvalidGGUFError: the file is not sound.
    """

    def __init__(self, spec: ModelSpec) -> None:
        self._spec = spec
        self._runtime = EmbeddedRuntime(
            spec.config, dialect=spec.dialect, calibration=spec.calibration
        )
        self._lock = threading.Lock()
        self._holds: ExitStack | None = None

    @property
    def runtime(self) -> EmbeddedRuntime:
        """What answers requests; loads the model by itself if nobody has."""
        return self._runtime

    def estimate(self, hardware: Hardware) -> Footprint:
        """Estimate from the file's header."""
        found = estimate_config(self._spec.config, hardware=hardware)
        return Footprint(resident_bytes=found.resident_bytes, cache_bytes=found.cache_bytes)

    def memory(self) -> ProcessMemory | None:
        """Measure the worker's resident memory."""
        pid = self._runtime.worker_pid
        if pid is None:
            return None
        try:
            found = psutil.Process(pid).memory_info()
        except psutil.Error:
            return None
        mapped_bytes = int(getattr(found, "shared", 0))
        return ProcessMemory(rss_bytes=found.rss, private_bytes=max(0, found.rss - mapped_bytes))

    async def load(self, *, threads: int | None) -> None:
        """Start the worker unless it runs, and wait until it computes with so many threads."""
        if self._spec.stored is not None:
            await to_thread.run_sync(partial(self._hold, self._spec.stored))
        await self._runtime.set_threads(threads)

    def unload(self) -> None:
        """End the worker."""
        self._runtime.close()
        with self._lock:
            holds, self._holds = self._holds, None
        if holds is not None:
            holds.close()

    def _hold(self, stored: StoredModel) -> None:
        """Check the file, and tell the store that it is in use, once for each load."""
        with self._lock:
            if self._holds is not None:
                return
            with ExitStack() as unless_sound:
                # First in use, so that nobody evicts what is being checked.
                unless_sound.enter_context(stored.store.in_use(self._spec.config.path))
                stored.store.verified_path(stored.entry)
                self._holds = unless_sound.pop_all()


def start_worker_model(spec: ModelSpec) -> WorkerModel:
    """Make what loads a model into a worker process; nothing is started yet."""
    return WorkerModel(spec)
