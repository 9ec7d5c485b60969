"""How far an evaluation has come: this file holds its progress bar."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def row_progress(
    title: str, *, total: int, figure: str, unit: str, console: Console
) -> Generator[Callable[[str], None]]:
    """Show a bar, and hand out what counts a row and shows the figure so far.

    Args:
        title: What is measured; shown as it is.
        total: How many rows there are.
        figure: What to show before the first row.
        unit: What the figure counts.
        console: Where to.
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(f"{{task.fields[figure]}} {unit}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title, total=total, figure=figure)

        def count(shown: str) -> None:
            progress.update(task, advance=1, figure=shown)

        yield count
