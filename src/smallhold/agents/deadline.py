"""Until when: this file holds the time limit of a run."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TypeVar

import anyio

from smallhold.exceptions import DeadlineExceededError

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """One time limit for everything that a run does."""

    limit_s: float
    started_s: float = field(default_factory=time.monotonic)
    """When the run began, on the clock of `time.monotonic()`."""

    @property
    def passed_s(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.started_s

    async def within(self, work: Awaitable[Value]) -> Value:
        """Await one piece of work; no cancel scope stays open between two of them.

        Raises:
            DeadlineExceededError: the time was up.
        """
        # Not `fail_after`: a runtime's own `TimeoutError` is another matter.
        with anyio.move_on_after(self.limit_s - self.passed_s):
            return await work
        raise DeadlineExceededError(limit_s=self.limit_s)
