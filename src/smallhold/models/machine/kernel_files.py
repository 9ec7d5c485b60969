"""What a kernel says of itself in files: this file holds reading them without ever failing.

A file may be missing, unreadable, empty, binary or vanish while it is read (a battery is taken
out): all of that reads as nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

_TEXT_MAX_BYTES: Final = 1 << 20
_MAX_DIGITS: Final = 19
"""Digits of the largest number that a kernel writes, 2^63 - 1."""


def kernel_text(path: Path) -> str:
    """Read a file's text, at most 1 MiB; empty when there is none."""
    try:
        with path.open("rb") as file:
            return file.read(_TEXT_MAX_BYTES).decode(errors="replace")
    except (OSError, ValueError):
        return ""


def kernel_word(path: Path) -> str:
    """Read a file of one line, without the line feed and the zero bytes of a device tree."""
    return kernel_text(path).strip("\0 \t\r\n")


def kernel_number(path: Path) -> int | None:
    """Read a file of one whole number; `None` when it holds anything else."""
    return parse_number(kernel_text(path))


def kernel_folders(folder: Path, *, pattern: str) -> tuple[Path, ...]:
    """List what lies in a folder by a pattern, in order of name; links to folders too."""
    try:
        return tuple(sorted(folder.glob(pattern)))
    except (OSError, ValueError):
        return ()


def parse_number(text: str) -> int | None:
    """Read a whole number, which may be negative; `None` for anything else."""
    word = text.strip("\0 \t\r\n")
    digits = word.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS):
        return None
    return int(word)


def parse_assignments(text: str) -> dict[str, str]:
    """Read a `uevent` file: a name, an equals sign and a value on each line."""
    pairs = (line.partition("=") for line in text.splitlines())
    return {name.strip(): value.strip() for name, equals, value in pairs if equals}
