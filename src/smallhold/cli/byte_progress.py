"""How far copying or hashing has come: this file holds its progress bar."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from smallhold.cli.terminal import printable
from smallhold.models.store.file_digest import ReportBytes


@contextmanager
def byte_progress(text: str, *, console: Console) -> Generator[ReportBytes]:
    """Show a bar that moves with what it is told: bytes done, and bytes in all.

    It vanishes at the end, and is not shown where there is no terminal to move in.
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with bar as progress:
        task = progress.add_task(printable(text), total=None)

        def report(done_bytes: int, total_bytes: int) -> None:
            progress.update(task, completed=done_bytes, total=total_bytes)

        yield report
