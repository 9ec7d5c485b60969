"""A model's file in another program's folder: this file holds the `ForeignFile`.

What lies in such a folder is not ours, and anybody may have put it there. A file counts only when
it lies, links followed, inside the folder that it was looked for in.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

from smallhold.models.catalog.source_specs import SourceSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignFile:
    """A file that another program keeps."""

    name: str
    """What it is called there, such as `ollama:qwen2.5-coder:0.5b`."""
    path: Path
    """Where it lies, without links."""
    size_bytes: int
    claimed_sha256: str | None
    """What its keeper says that it contains; `None` where the keeper says nothing."""
    spec: SourceSpec | None = None
    """Where it came from, as far as its keeper knows."""


def file_inside(path: Path, *, root: Path) -> Path | None:
    """Follow links from `path` to a file; `None` when it is none, or lies outside of `root`."""
    try:
        real, real_root = path.resolve(strict=True), root.resolve(strict=True)
        is_file = stat.S_ISREG(real.lstat().st_mode)
        # A record is JSON, which cannot hold a path that is no text.
        str(real).encode()
    except (OSError, RuntimeError, ValueError):
        return None
    return real if is_file and real.is_relative_to(real_root) else None
