"""Promises of `smallhold.cli.byte_progress`: this file holds tests of its bar."""

from __future__ import annotations

import io

from rich.console import Console

from smallhold.cli.byte_progress import byte_progress


def shown(*, is_terminal: bool) -> str:
    file = io.StringIO()
    console = Console(file=file, width=200, force_terminal=is_terminal)
    with byte_progress("hashing [bold]x\x1b]0;title\x07", console=console) as report:
        report(500_000, 1_000_000)
        report(1_000_000, 1_000_000)
    return file.getvalue()


def test_a_bar_shows_its_text_without_markup_and_control_characters() -> None:
    text = shown(is_terminal=True)
    assert "hashing [bold]x" in text
    assert "\x1b]0;title" not in text


def test_where_there_is_no_terminal_nothing_is_shown() -> None:
    assert shown(is_terminal=False) == ""
