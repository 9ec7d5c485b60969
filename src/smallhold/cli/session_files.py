"""Exported sessions as files: this file holds how they are read and written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from smallhold.exceptions import ConfigError, SessionImportError
from smallhold.state.sessions.transfer import LINE_LIMIT_CHARS

FROM_STDIN: Final = "-"
_PRIVATE: Final = 0o600
_BYTES_PER_CHAR: Final = 4


def read_lines(file: str, *, stdin: BinaryIO) -> tuple[str, ...]:
    """Read the lines of an export.

    Args:
        file: A file's path, or `-` for stdin.
        stdin: Read in place of `-`.

    Raises:
        ConfigError: the file cannot be read.
        SessionImportError: a line is no UTF-8, or far too long.
    """
    if file == FROM_STDIN:
        return tuple(_decoded(stdin))
    try:
        with Path(file).open("rb") as opened:
            return tuple(_decoded(opened))
    except OSError as error:
        raise ConfigError(
            field="FILE", value=file, remedy=error.strerror or "it cannot be read"
        ) from error


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read.

    Raises:
        ConfigError: it cannot be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    try:
        with os.fdopen(os.open(path, flags, _PRIVATE), "w", encoding="utf-8") as opened:
            opened.write(text)
    except OSError as error:
        raise ConfigError(
            field="--output", value=str(path), remedy=error.strerror or "it cannot be written"
        ) from error


def _decoded(opened: BinaryIO) -> Iterator[str]:
    limit_bytes = LINE_LIMIT_CHARS * _BYTES_PER_CHAR
    number = 0
    # One byte more than allowed tells a line that is too long without reading it whole.
    while line := opened.readline(limit_bytes + 1):
        number += 1
        if len(line) > limit_bytes:
            raise SessionImportError(line=number, problem=f"it exceeds {limit_bytes:,} bytes")
        try:
            yield line.decode()
        except UnicodeDecodeError as error:
            raise SessionImportError(line=number, problem="it is no UTF-8") from error
