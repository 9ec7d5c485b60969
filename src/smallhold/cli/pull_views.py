"""How a pull is shown while it runs: this file holds its progress bar and its JSON events."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from smallhold.cli.terminal import foreign
from smallhold.messages import JsonObject
from smallhold.models import PullPhase, PullProgress

_PHASE_TEXT: Final = {
    PullPhase.WAITING: "waiting for another pull",
    PullPhase.FETCHING: "fetching",
    PullPhase.VERIFYING: "verifying",
}


@dataclass(slots=True, kw_only=True)
class PullBar:
    """Turns the steps of one pull into lines and a progress bar, which lives on `stack`."""

    console: Console
    stack: ExitStack
    progress: Progress | None = None
    task: TaskID | None = None
    phase: PullPhase | None = None
    """What the bar shows."""
    source: str = ""

    def show(self, step: PullProgress) -> None:
        """Show one step."""
        match step.phase:
            case PullPhase.DONE:
                return
            case PullPhase.SOURCE_FAILED:
                # Why is in the error if no other source delivers, and in the log if one does.
                self._say(f"{step.source} could not deliver", style="yellow")
            case PullPhase.EVICTED:
                self._say(f"{step.detail} was deleted, to keep to SMALLHOLD_MODEL_CACHE_SIZE")
            case PullPhase.WAITING | PullPhase.FETCHING | PullPhase.VERIFYING:
                self._advance(step)

    def _advance(self, step: PullProgress) -> None:
        if step.source not in {"", self.source}:
            self._say(f"{step.reference} from {step.source}")
            self.source = step.source
        if self.progress is None:
            self.progress = self.stack.enter_context(Progress(*_columns(), console=self.console))
        if self.task is None or self.phase is not step.phase:
            # Anew for each phase, so that the speed is that of this phase alone.
            if self.task is not None:
                self.progress.remove_task(self.task)
            self.phase = step.phase
            self.task = self.progress.add_task(_PHASE_TEXT[step.phase])
        self.progress.update(self.task, completed=step.done_bytes, total=step.total_bytes)

    def _say(self, text: str, *, style: str = "") -> None:
        self.console.print(foreign(text, style=style), soft_wrap=True)


@dataclass(slots=True, kw_only=True)
class PullEvents:
    """Turns the steps of one pull into JSON objects, one for each line."""

    write: Callable[[JsonObject], None]

    def show(self, step: PullProgress) -> None:
        """Write one step; the last one comes from `done`, which knows the path."""
        if step.phase is not PullPhase.DONE:
            self.write(event_of(step))

    def done(self, *, reference: str, path: str, size_bytes: int) -> None:
        """Write that the model is there."""
        self.write({
            "event": PullPhase.DONE.value,
            "reference": reference,
            "path": path,
            "done_bytes": size_bytes,
            "total_bytes": size_bytes,
        })

    def failed(self, error: Exception) -> None:
        """Write that it will not be there."""
        self.write({"event": "failed", "kind": type(error).__name__, "detail": str(error)})


def event_of(step: PullProgress) -> JsonObject:
    """One step as JSON; rates are whole bytes a second."""
    event: JsonObject = {
        "event": step.phase.value,
        "reference": step.reference,
        "source": step.source,
        "done_bytes": step.done_bytes,
        "total_bytes": step.total_bytes,
        "rate_bytes_s": None if step.rate_bytes_s is None else round(step.rate_bytes_s),
    }
    if step.revision is not None:
        event["revision"] = step.revision
    if step.detail:
        event["detail"] = step.detail
    return event


def _columns() -> tuple[ProgressColumn, ...]:
    return (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
