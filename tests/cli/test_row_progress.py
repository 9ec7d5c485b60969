from __future__ import annotations

import io

from rich.console import Console

from smallhold.cli.row_progress import row_progress


def test_the_bar_counts_rows_and_shows_the_figure_so_far_with_its_unit() -> None:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=100)
    with row_progress("[model]", total=2, figure="-", unit="right", console=console) as show:
        show("1")
        show("2")
    text = written.getvalue()
    assert "[model]" in text
    assert "2/2" in text
    assert "2 right" in text
