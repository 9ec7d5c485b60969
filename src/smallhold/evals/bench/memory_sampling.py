"""What worker processes take while something goes on: this file holds the sampling of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import psutil

SAMPLE_INTERVAL_S: Final = 0.1
_WORKER: Final = "smallhold.engine.worker"


@dataclass(slots=True)
class MemorySamples:
    """What was seen."""

    peak_bytes: int = 0
    """The most at one moment, of all workers together."""
    count: int = 0
    on_look: Callable[[], object] = lambda: None
    """Called with each sample."""
    _over: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        """Take one sample."""
        self.peak_bytes = max(self.peak_bytes, workers_rss_bytes())
        self.count += 1
        self.on_look()

    def go_on(self) -> None:
        """Take samples until told to stop."""
        while not self._over.wait(SAMPLE_INTERVAL_S):
            self.look()

    def stop(self) -> None:
        """Take no more."""
        self._over.set()


@contextmanager
def sampled_memory(on_look: Callable[[], object]) -> Generator[MemorySamples]:
    """Sample the workers of this process ten times a second while the block runs.

    Args:
        on_look: Called with each sample, in the sampling thread.
    """
    samples = MemorySamples(on_look=on_look)
    thread = threading.Thread(target=samples.go_on, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        samples.stop()
        thread.join()


def workers_rss_bytes() -> int:
    """Sum the resident memory of this process's workers, mapped pages of files included.

    Pages that two workers share are counted twice.
    """
    total = 0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if _WORKER in process.cmdline():
                total += process.memory_info().rss
    return total
