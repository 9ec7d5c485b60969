"""How many agents work at once: this file holds the places for their runs."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from smallhold.runtimes.residency.bell import Bell


@dataclass(slots=True, kw_only=True, eq=False)
class _Place:
    owner: RunSlots
    bell: Bell | None = None
    is_taken: bool = False
    is_left: bool = False


_places: ContextVar[tuple[_Place, ...]] = ContextVar("smallhold_run_places", default=())
"""Places that the present task, or one that it came from, has taken."""


@dataclass(slots=True, eq=False)
class RunSlots:
    """A limited number of places, handed out in the order in which they were asked for.

    Safe for several threads and event loops. A run that starts another one, such as by a tool that
    asks another agent, does so on its own place: otherwise it would wait for itself.
    """

    limit: int | None
    """`None` is no limit."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _taken: int = 0
    _waiting: deque[_Place] = field(default_factory=deque[_Place])

    @property
    def waiting(self) -> int:
        """Runs that wait."""
        return len(self._waiting)

    @asynccontextmanager
    async def hold(self) -> AsyncGenerator[None]:
        """Take a place, when it is this run's turn, and leave it again."""
        held = tuple(place for place in _places.get() if not place.is_left)
        if self.limit is None or any(place.owner is self for place in held):
            yield
            return
        place = self._ask(self.limit)
        try:
            if place.bell is not None:
                await place.bell.wait()
            # Never set back: a generator may be closed in another context than it was begun in.
            _places.set((*held, place))
            yield
        finally:
            self._leave(place)

    def _ask(self, limit: int) -> _Place:
        with self._lock:
            place = _Place(owner=self)
            if self._taken < limit and not self._waiting:
                self._take(place)
            else:
                place.bell = Bell()
                self._waiting.append(place)
            return place

    def _leave(self, place: _Place) -> None:
        with self._lock:
            place.is_left = True
            if place.bell is not None:
                place.bell.close()
            if not place.is_taken:
                self._waiting.remove(place)
                return
            self._taken -= 1
            if self._waiting:
                following = self._waiting.popleft()
                self._take(following)

    def _take(self, place: _Place) -> None:
        self._taken += 1
        place.is_taken = True
        if place.bell is not None:
            place.bell.ring()
