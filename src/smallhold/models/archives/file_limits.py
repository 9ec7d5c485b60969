"""How large one file may be on a disk: this file holds what is known of file systems for sticks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psutil

FAT_FILE_BYTES: Final = (1 << 32) - 1
"""The largest file on FAT32. Source: Microsoft's FAT specification, section 3."""

_FAT: Final = frozenset({"vfat", "msdos", "fat", "fat32", "msdosfs"})


def file_limit_bytes(folder: Path, mounts: Mapping[str, str] | None = None) -> int | None:
    """The largest file that a folder can hold; `None` is no limit that matters, or unknown.

    Args:
        folder: An existing folder.
        mounts: File systems by where they are mounted, by default those of this machine.
    """
    known = _mounts() if mounts is None else mounts
    real = folder.resolve()
    above = [Path(mount) for mount in known if real.is_relative_to(mount)]
    if not above:
        return None
    nearest = max(above, key=lambda mount: len(mount.parts))
    return FAT_FILE_BYTES if known[str(nearest)].lower() in _FAT else None


def _mounts() -> Mapping[str, str]:
    return {item.mountpoint: item.fstype for item in psutil.disk_partitions(all=True)}
