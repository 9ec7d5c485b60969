"""Telling a slow worker from a dead one: this file holds when a canary is due.

A request that has waited long without a reply does not know whether its turn has not come, or the
worker hangs. A canary is a request for one token, ahead of everything else: its answer is proof of
life, its silence means the end. That the process exists, or a thread of it still talks, would prove
nothing.
"""

from __future__ import annotations

import threading
from enum import StrEnum
from typing import Final

MIN_LOADING_S: Final = 600.0
"""A worker that loads answers nothing. Waiting for a cold disk is no hang."""
SLOWEST_DISK_BYTES_PER_S: Final = 20e6
"""An old memory card. Weights of 5 GB take 4 minutes from it."""


class Advice(StrEnum):
    """What a request that has had no reply for long should do."""

    WAIT = "wait"
    """The worker is known to live, or somebody is finding out."""
    PROBE = "probe"
    """Send a canary; nobody else will until its outcome is known."""
    END = "end"
    """The worker hangs."""


def loading_limit_s(model_bytes: int) -> float:
    """Give the longest time that loading a file of this size may take."""
    return max(MIN_LOADING_S, model_bytes / SLOWEST_DISK_BYTES_PER_S)


class Watchdog:
    """What is known of one worker's life. Safe to use from several threads.

    Args:
        hang_timeout_s: How long a sign of life is good for.
        loading_limit_s: How long the worker may load its model.
        now_s: The time, on the monotonic clock, at which the worker is started.
    """

    def __init__(self, *, hang_timeout_s: float, loading_limit_s: float, now_s: float) -> None:
        self._hang_timeout_s = hang_timeout_s
        self._loading_until_s = now_s + loading_limit_s
        self._alive_s: float | None = None
        self._is_probed = False
        self._lock = threading.Lock()

    def advise(self, *, now_s: float, is_loaded: bool) -> Advice:
        """Decide what a request does that has had no reply for `hang_timeout_s`.

        `Advice.PROBE` obliges the caller to report with `finish_probe`.

        Args:
            now_s: The time, on the monotonic clock.
            is_loaded: The worker has said that its model is loaded.
        """
        with self._lock:
            if self._alive_s is None:
                if not is_loaded:
                    return Advice.END if now_s > self._loading_until_s else Advice.WAIT
                # When it was loaded is not known, only that it was by now.
                self._alive_s = now_s
            if self._is_probed or now_s < self._alive_s + self._hang_timeout_s:
                return Advice.WAIT
            self._is_probed = True
            return Advice.PROBE

    def finish_probe(self, *, now_s: float, is_alive: bool) -> None:
        """Report a canary's outcome. One that was given up for other reasons proves nothing."""
        with self._lock:
            self._is_probed = False
            if is_alive:
                self._alive_s = now_s
