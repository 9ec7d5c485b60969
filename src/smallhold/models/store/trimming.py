"""Which models go when the disk space for them is used up: this file holds `plan_trim`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBlob:
    """One file of the store."""

    sha256: str
    size_bytes: int
    last_used_s: float
    """Seconds since the epoch."""
    references: tuple[str, ...]
    """The models that are this file; two models may share one."""
    is_pinned: bool
    is_loaded: bool
    """Whether some process uses it right now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrimPlan:
    """What to evict, in this order."""

    evicted: tuple[StoredBlob, ...]
    freed_bytes: int
    kept_bytes: int
    """What stays. It exceeds the limit only when nothing more may be evicted."""


def plan_trim(
    blobs: Sequence[StoredBlob], *, limit_bytes: int, keep: Collection[str] = ()
) -> TrimPlan:
    """Choose what to evict so that the rest fits the limit: the least recently used first.

    Args:
        blobs: All files of the store.
        limit_bytes: The disk space that they may take together, in bytes.
        keep: References that stay, besides what is pinned or loaded.
    """
    kept_bytes = sum(blob.size_bytes for blob in blobs)
    freed_bytes = 0
    evicted: list[StoredBlob] = []
    # The digest decides between files of the same moment, so that the plan is the same each time.
    for blob in sorted(blobs, key=lambda blob: (blob.last_used_s, blob.sha256)):
        if kept_bytes <= limit_bytes:
            break
        if not (blob.is_pinned or blob.is_loaded or any(name in keep for name in blob.references)):
            evicted.append(blob)
            freed_bytes += blob.size_bytes
            kept_bytes -= blob.size_bytes
    return TrimPlan(evicted=tuple(evicted), freed_bytes=freed_bytes, kept_bytes=kept_bytes)
