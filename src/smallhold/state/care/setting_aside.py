"""Damaged rows out of the way: this file holds how they are kept beside the database."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

_PRIVATE: Final = 0o600


def set_aside(path: Path, rows: Iterable[tuple[str, Mapping[Any, Any]]], *, now_s: float) -> None:
    """Append rows to a file of JSON Lines, on the disk when this returns.

    Each line has `table`, `at_s` and `row`; bytes stand as `{"base64": ...}`, sealed as they were.

    Args:
        path: The file; it is made if there is none.
        rows: A table's name and a row each.
        now_s: Unix time.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    with os.fdopen(os.open(path, flags, _PRIVATE), "w", encoding="ascii") as file:
        for table, row in rows:
            written = {str(name): _written(value) for name, value in row.items()}
            file.write(json.dumps({"table": table, "at_s": now_s, "row": written}) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _written(value: object) -> object:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode("ascii")}
    return value
