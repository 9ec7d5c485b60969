"""Work that no request waits for: this file holds the threads it runs in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol


class Background(Protocol):
    """Runs functions besides."""

    def soon(self, work: Callable[[], None]) -> None:
        """Run it as soon as possible."""
        ...

    def later(self, delay_s: float, work: Callable[[], None]) -> Callable[[], None]:
        """Run it after a time; gives what calls it off."""
        ...


class DaemonThreads:
    """A thread for each piece of work, which keeps no program from ending."""

    def soon(self, work: Callable[[], None]) -> None:
        """Run it in a thread of its own."""
        threading.Thread(target=work, name="smallhold-residency", daemon=True).start()

    def later(self, delay_s: float, work: Callable[[], None]) -> Callable[[], None]:
        """Run it in a thread of its own after a time."""
        timer = threading.Timer(min(delay_s, threading.TIMEOUT_MAX), work)
        timer.name = "smallhold-residency-timer"
        timer.daemon = True
        timer.start()
        return timer.cancel
