"""The picture of the demo: this file holds the way from a recorded run to an SVG.

    FORCE_COLOR=1 COLUMNS=100 smallhold demo > run
    python docs/images/record_demo.py docs/images/demo.svg < run

The first conversations are shown as they were, in order and uncut, then the figures of all.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

WIDTH: Final = 100
SHOWN: Final = 4
"""Conversations in the picture; twelve would be three screens."""
TITLE: Final = "smallhold demo"
_HEADER: Final = re.compile(r"\[(\d+)/(\d+)\] ")
_FIGURES: Final = "The demo in figures"
_CALL_LINES: Final = ("  → ", "  ← ")
"""Calls and results are JSON: broken at the edge as a terminal does, not between words."""
_SPINNER: Final = "Loading the model"
_WEB_FONT: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""Rich names fonts on the web; our pages fetch nothing."""


def recorded_lines(recording: str) -> list[Text]:
    """Read a terminal's output, without the spinner's frames."""
    lines = (Text.from_ansi(line) for line in recording.split("\n"))
    return [line for line in lines if _SPINNER not in line.plain]


def chosen_lines(lines: Sequence[Text], *, shown: int) -> list[Text]:
    """Keep what comes before conversation `shown` + 1, and the figures.

    Raises:
        ValueError: The recording holds no figures, so the run did not end.
    """
    figures = next((i for i, line in enumerate(lines) if _FIGURES in line.plain), None)
    if figures is None:
        msg = "the recording holds no figures: let the demo end"
        raise ValueError(msg)
    headers = {
        int(match[1]): (index, int(match[2]))
        for index, line in enumerate(lines)
        if (match := _HEADER.match(line.plain))
    }
    if shown + 1 not in headers:
        return list(lines)
    end, total = headers[shown + 1]
    left_out = Text(f"… {total - shown} more conversations …", style="dim italic")
    return [*lines[:end], left_out, Text(), *lines[figures:]]


def picture(lines: Sequence[Text]) -> str:
    """Draw lines as a terminal window."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), highlight=False)
    for line in lines:
        is_call = line.plain.startswith(_CALL_LINES)
        for part in line.divide(range(WIDTH, len(line), WIDTH)) if is_call else (line,):
            console.print(part)
    return _WEB_FONT.sub("", console.export_svg(title=TITLE, unique_id="demo"))


def main() -> None:
    """Read a recording from stdin and write the picture."""
    parser = argparse.ArgumentParser(description="Draw a recorded run of the demo.")
    parser.add_argument("target", type=Path, help="SVG file to write")
    parser.add_argument("--shown", type=int, default=SHOWN, help="conversations to show")
    options = parser.parse_args()
    lines = chosen_lines(recorded_lines(sys.stdin.read().strip("\n")), shown=options.shown)
    options.target.write_text(picture(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
