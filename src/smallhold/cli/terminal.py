"""Where output goes: this file holds the consoles for people and the JSON for programs.

Results go to stdout, everything about the way to them to stderr. Under `--json` stdout belongs to
the program that reads it, so people's output goes to stderr as a whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

import typer
from rich.console import Console
from rich.text import Text

from smallhold.messages import JsonValue

_CONTROL: re.Pattern[str] = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters but for tab and line feed. Text from models, tools and files could otherwise
move the cursor, rename the window or write to the clipboard."""


def result_console(*, as_json: bool = False) -> Console:
    """Make the console for what people asked for: stdout, or stderr under `--json`."""
    return Console(stderr=as_json, highlight=False)


def side_console() -> Console:
    """Make the console for progress, notes and errors."""
    return Console(stderr=True, highlight=False)


def write_json(document: Mapping[str, JsonValue] | Sequence[JsonValue]) -> None:
    """Write one JSON document as one line of ASCII to stdout."""
    typer.echo(json.dumps(document))


def printable(text: str) -> str:
    """Take the control characters out of foreign text."""
    return _CONTROL.sub("", text)


def foreign(text: str, *, style: str = "") -> Text:
    """Make foreign text safe to show: no control characters, no Rich markup."""
    return Text(printable(text), style=style)


def one_line(text: str, *, limit_chars: int) -> str:
    """Squeeze text into one line of at most `limit_chars` characters."""
    squeezed = " ".join(printable(text).split())
    return squeezed if len(squeezed) <= limit_chars else f"{squeezed[: limit_chars - 1]}…"
