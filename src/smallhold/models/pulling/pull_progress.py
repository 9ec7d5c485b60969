"""What a pull tells while it runs: this file holds the `PullProgress`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from smallhold.models.catalog.catalog import CatalogEntry
from smallhold.models.sources.pacing import RateMeter

REPORT_EVERY_S: Final = 0.1
"""Within one phase no more often than this; a screen cannot show more."""


class PullPhase(StrEnum):
    """What a pull is doing."""

    WAITING = "waiting"
    """Another process fetches the same model."""
    FETCHING = "fetching"
    VERIFYING = "verifying"
    """Everything that arrived, or that another program has, is being hashed."""
    SOURCE_FAILED = "source_failed"
    """A source could not deliver, `detail` says why; the next one is tried, if there is one."""
    EVICTED = "evicted"
    """The model that `detail` names was deleted, so that the store keeps to its limit."""
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullProgress:
    """One step forward of a pull."""

    alias: str
    phase: PullPhase
    source: str
    """Name of the source; empty while waiting for another process, and when all is done."""
    done_bytes: int
    total_bytes: int | None
    """Size of the whole file, where known."""
    detail: str = ""
    reference: str = ""
    """The one name of the file, such as `smollm2-135m:q4_k_m`."""
    rate_bytes_s: float | None = None
    """Bytes a second over the last seconds; `None` until there is something to compare with."""
    revision: str | None = None
    """What the source says that a branch or tag stood for, such as a commit; known from the
    verifying on."""


def ignore_progress(progress: PullProgress) -> None:
    """Take no notice of progress."""
    del progress


@dataclass(slots=True, kw_only=True)
class ProgressReporter:
    """Tells the steps of one pull, neither too often nor without their rate."""

    entry: CatalogEntry
    on_progress: Callable[[PullProgress], None]
    revision: str | None = None
    _stage: tuple[PullPhase, str] | None = field(default=None, init=False)
    _told_s: float = field(default=0.0, init=False)
    _meter: RateMeter = field(default_factory=RateMeter, init=False)

    def advance(
        self,
        phase: PullPhase,
        *,
        source: str,
        done_bytes: int,
        total_bytes: int | None,
        now_s: float,
    ) -> None:
        """Tell how far a phase is, unless that was just told; its beginning and end always are."""
        if self._stage != (phase, source):
            self._stage, self._meter = (phase, source), RateMeter()
        elif done_bytes != total_bytes and now_s - self._told_s < REPORT_EVERY_S:
            return
        self._told_s = now_s
        step = self._step(phase, source, done_bytes=done_bytes, total_bytes=total_bytes)
        rate_bytes_s = self._meter.rate(done_bytes, now_s=now_s)
        self.on_progress(replace(step, rate_bytes_s=rate_bytes_s))

    def event(self, phase: PullPhase, *, source: str = "", detail: str = "") -> None:
        """Tell something that happens once."""
        step = self._step(phase, source, done_bytes=0, total_bytes=None)
        self.on_progress(replace(step, detail=detail))

    def done(self, size_bytes: int) -> None:
        """Tell that the model is there."""
        step = self._step(PullPhase.DONE, "", done_bytes=size_bytes, total_bytes=size_bytes)
        self.on_progress(step)

    def _step(
        self, phase: PullPhase, source: str, *, done_bytes: int, total_bytes: int | None
    ) -> PullProgress:
        return PullProgress(
            alias=self.entry.alias,
            phase=phase,
            source=source,
            done_bytes=done_bytes,
            total_bytes=total_bytes,
            reference=self.entry.reference,
            revision=self.revision,
        )
