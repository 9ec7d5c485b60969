"""Compiling the engine with a progress bar: this file holds the command `engine build`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from smallhold.cli.terminal import foreign
from smallhold.engine.build import BuildOutcome
from smallhold.engine.build_progress import BuildPhase, BuildProgress, OnProgress


def build_with_progress(
    build: Callable[[OnProgress], BuildOutcome], *, console: Console
) -> BuildOutcome:
    """Build, showing each phase and how far the compiler is.

    Raises:
        CompilerMissingError: there is no C++ compiler.
        EngineBuildError: pip, CMake or the compiler failed.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        outcome = build(BuildBar(progress).show)
    console.print(foreign(f"The engine is {outcome.value}."))
    return outcome


@dataclass(slots=True)
class BuildBar:
    """Turns the steps of a build into one bar for each phase."""

    progress: Progress
    phase: BuildPhase | None = None
    task: TaskID | None = None

    def show(self, step: BuildProgress) -> None:
        """Show one step."""
        if self.task is None or self.phase is not step.phase:
            self._finish()
            self.phase = step.phase
            self.task = self.progress.add_task(step.phase.value, total=step.total or None)
        self.progress.update(self.task, completed=step.done, total=step.total or None)

    def _finish(self) -> None:
        if self.task is not None:
            self.progress.update(self.task, completed=1, total=1)
