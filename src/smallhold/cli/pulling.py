"""Fetching a model with a progress bar: this file holds the command `pull`."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
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
from smallhold.models import CatalogEntry, ModelStore, PullPhase, PullProgress, pull
from smallhold.models.sources import SourceOpener

_PHASE_TEXT: Final = {
    PullPhase.WAITING: "waiting for another pull",
    PullPhase.FETCHING: "fetching",
    PullPhase.VERIFYING: "verifying",
}


async def pull_model(
    entry: CatalogEntry, *, store: ModelStore, open_source: SourceOpener, console: Console
) -> Path:
    """Fetch a model, showing phase, source, bytes and speed. Raises as `smallhold.models.pull`."""
    was_there = store.find(entry) is not None
    with ExitStack() as stack:
        bar = PullBar(console=console, stack=stack)
        path = await pull(entry, store=store, open_source=open_source, on_progress=bar.show)
    size_mb = path.stat().st_size / 1e6
    verb = "is already there" if was_there else "is ready"
    console.print(foreign(f"{entry.alias} {verb} ({size_mb:,.0f} MB, {path})"), soft_wrap=True)
    return path


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
            case PullPhase.WAITING | PullPhase.FETCHING | PullPhase.VERIFYING:
                self._advance(step)

    def _advance(self, step: PullProgress) -> None:
        if step.source not in {"", self.source}:
            self._say(f"{step.alias} from {step.source}")
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


def _columns() -> tuple[ProgressColumn, ...]:
    return (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
