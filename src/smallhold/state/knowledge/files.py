"""Files that may become documents: this file holds how they are found and read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from smallhold.exceptions import DocumentError, DocumentTooLargeError
from smallhold.state.knowledge.formats import format_of
from smallhold.state.knowledge.parsers.limits import ParsingLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file's bytes."""

    source: str
    """Its absolute path."""
    data: bytes


def source_of(path: Path) -> str:
    """Name a file as a source: its absolute path, links not followed."""
    return os.path.normpath(path.expanduser().absolute())


def path_of(source: str | Path) -> Path:
    """Read a path as people write it, `~` for their home."""
    return Path(source).expanduser()


def readable_files(folder: Path) -> Iterator[Path]:
    """List the files of a folder that can be read, by name, folders inside it included.

    Hidden ones are left out, and links too: they may lead out of the folder.
    """
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if not name.startswith(".") and format_of(name) and not path.is_symlink():
                yield path


def read_file(path: Path, *, limits: ParsingLimits) -> SourceFile:
    """Read a file, if it is none that is too large.

    Raises:
        DocumentError: There is no such file, or it may not be read.
        DocumentTooLargeError: It is too large; nothing of it was read.
    """
    source = source_of(path)
    try:
        # Not blocking: to open a pipe that nobody writes to would wait for ever.
        descriptor = os.open(path.expanduser(), os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise DocumentError(
                    source=source, problem="it is no regular file", remedy="Name a file or folder."
                )
            require_size(found.st_size, source=source, limits=limits)
            data = file.read(limits.file_max_bytes + 1)
    except OSError as error:
        raise DocumentError(
            source=source,
            problem=(error.strerror or "the system refuses").lower(),
            remedy="Check the path and the rights of the file.",
        ) from error
    # It may have grown since.
    require_size(len(data), source=source, limits=limits)
    return SourceFile(source=source, data=data)


def require_size(size_bytes: int, *, source: str, limits: ParsingLimits) -> None:
    """Refuse a file that is too large.

    Raises:
        DocumentTooLargeError: It is.
    """
    if size_bytes > limits.file_max_bytes:
        raise DocumentTooLargeError(
            source=source,
            field="file_max_bytes",
            actual=f"it has {size_bytes:,} bytes",
            limit=f"{limits.file_max_bytes:,} bytes",
        )
