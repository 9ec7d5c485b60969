"""How fast bytes may come and how fast they do: this file holds what measures rates."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import anyio

RATE_WINDOW_S: Final = 5.0
"""A rate is that of the last so many seconds, long enough to be steady, short enough to be now."""

TRICKLE_BYTES_S: Final = 256
"""Slower than this over the time of a stall, a connection is dead too: a gigabyte would take 45
days."""

_BURST_S: Final = 0.25
_SAMPLES: Final = 50


@dataclass(slots=True, kw_only=True)
class Pacer:
    """Keeps everything that shares it under one rate, after a token bucket that may go into debt.

    Whoever took bytes waits until they are paid for, so that a chunk larger than the bucket passes
    too, and the rate holds over any longer time.
    """

    limit_bytes_s: float | None
    """`None` is no limit."""
    _paid_until_s: float = field(default=0.0, init=False)

    async def take(self, size_bytes: int) -> None:
        """Account for bytes that came, and wait as long as they have to last."""
        if self.limit_bytes_s is None:
            return
        self._paid_until_s, wait_s = paid(
            self._paid_until_s,
            size_bytes,
            limit_bytes_s=self.limit_bytes_s,
            now_s=anyio.current_time(),
        )
        if wait_s > 0:
            await anyio.sleep(wait_s)


def paid(
    paid_until_s: float, size_bytes: int, *, limit_bytes_s: float, now_s: float
) -> tuple[float, float]:
    """Decide how long bytes that just came have to last.

    Returns:
        The moment until which all bytes so far last, and the seconds to wait now.
    """
    # An idle time earns no more than a short burst.
    begin_s = max(paid_until_s, now_s - _BURST_S)
    until_s = begin_s + size_bytes / limit_bytes_s
    return until_s, max(0.0, until_s - now_s)


@dataclass(slots=True, kw_only=True)
class RateMeter:
    """Tells how many bytes a second came lately."""

    _samples: deque[tuple[float, int]] = field(
        default_factory=lambda: deque(maxlen=_SAMPLES), init=False
    )

    def rate(self, done_bytes: int, *, now_s: float) -> float | None:
        """Bytes a second over the last `RATE_WINDOW_S`, given the bytes that are done by now.

        `None` until there is something to compare with. A fall of `done_bytes` begins anew.
        """
        samples = self._samples
        if samples and done_bytes < samples[-1][1]:
            samples.clear()
        while samples and now_s - samples[0][0] > RATE_WINDOW_S:
            samples.popleft()
        # One sample for each fiftieth of the window is enough.
        if not samples or now_s - samples[-1][0] >= RATE_WINDOW_S / _SAMPLES:
            samples.append((now_s, done_bytes))
        began_s, began_bytes = samples[0]
        return (done_bytes - began_bytes) / (now_s - began_s) if now_s > began_s else None


@dataclass(slots=True, kw_only=True)
class TrickleWatch:
    """Tells a connection that sends hardly anything from one that is slow."""

    limit_s: float
    _began_s: float | None = field(default=None, init=False)
    _seen_bytes: int = field(default=0, init=False)

    def problem(self, size_bytes: int, *, now_s: float) -> str | None:
        """Note bytes that came; say so when over the last `limit_s` seconds hardly any did."""
        self._seen_bytes += size_bytes
        if self._began_s is None:
            self._began_s = now_s
        waited_s = now_s - self._began_s
        if waited_s < self.limit_s:
            return None
        seen_bytes = self._seen_bytes
        self._began_s, self._seen_bytes = now_s, 0
        is_alive = seen_bytes >= TRICKLE_BYTES_S * waited_s
        if is_alive:
            return None
        return f"the connection brought {seen_bytes:,} bytes in {waited_s:.0f} s"
