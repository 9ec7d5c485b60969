"""Files that must not be lost: this file holds how they are copied, kept and put into place."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

from smallhold.exceptions import ConfigError
from smallhold.state.care.structure import opened_file

COMPANIONS: Final = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database's file."""
_PRIVATE: Final = 0o600


def partial_path(path: Path, *, purpose: str) -> Path:
    """Name a file that nobody takes for a finished one, in the folder of the finished one."""
    return path.absolute().with_name(
        f".{path.name}.{purpose}-{os.getpid()}-{time.monotonic_ns():x}"
    )


def kept_path(path: Path, *, why: str, now_s: float) -> Path:
    """Name the place beside a file where it is kept; one that nothing else has."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_s))
    kept = path.with_name(f"{path.name}.{why}-{stamp}")
    number = 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}.{why}-{stamp}-{number}")
    return kept


def check_new(path: Path, *, field: str) -> None:
    """Refuse a path where something is, or whose folder is not. Raises `ConfigError`."""
    if path.exists():
        raise ConfigError(field=field, value=str(path), remedy="name a file that does not exist")
    if not path.parent.is_dir():
        raise ConfigError(field=field, value=str(path), remedy="create its folder first")


def create_private(path: Path) -> None:
    """Make an empty file that only its owner may read."""
    path.touch(mode=_PRIVATE)


def size_of(path: Path) -> int:
    """Give a file's size in bytes."""
    return path.stat().st_size


def copy_database(source: Path, copy: Path) -> None:
    """Copy a SQLite database as it is at one moment, while others work in it.

    The copy holds no deleted rows and has no log beside it.

    Raises:
        ConfigError: There is no such database.
        DatabaseError: It is damaged, or the disk is full; no copy is left then.
    """
    try:
        with opened_file(source) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        copy.chmod(_PRIVATE)
    except BaseException:
        discard(copy)
        raise


def put_into_place(finished: Path, path: Path) -> None:
    """Rename a finished file, so that after a power loss there is the whole of it or none."""
    _synchronise(finished)
    finished.replace(path)
    _synchronise(path.parent)


def keep(path: Path, kept: Path) -> None:
    """Move a database's file away, with what SQLite keeps beside it."""
    for ending in ("", *COMPANIONS):
        part = path.with_name(path.name + ending)
        if part.exists():
            part.rename(kept.with_name(kept.name + ending))
    _synchronise(path.parent)


def discard(path: Path) -> None:
    """Delete an unfinished database's file, with what SQLite keeps beside it."""
    for ending in ("", *COMPANIONS):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _synchronise(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
