"""The most memory that processes held: this file holds the reading of high-water marks."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import psutil

_HIGH_WATER: Final = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
_KILOBYTE: Final = 1024
"""The kernel's `kB`. Source: proc_pid_status(5)."""


def parse_high_water(status: str) -> int | None:
    """Read the resident set's high-water mark, in bytes, out of `/proc/PID/status`."""
    match = _HIGH_WATER.search(status)
    return None if match is None else int(match.group(1)) * _KILOBYTE


def peak_rss_bytes(pid: int, *, proc: Path = Path("/proc")) -> int:
    """Tell the most memory that a process has held so far, in bytes.

    Where the system keeps no high-water mark it is what the process holds now; 0 when it has ended.
    """
    try:
        status = (proc / str(pid) / "status").read_text("utf-8", "replace")
    except OSError:
        status = ""
    peak = parse_high_water(status)
    if peak is not None:
        return peak
    try:
        return psutil.Process(pid).memory_info().rss
    except psutil.Error:
        return 0


class PeakMemory:
    """Keeps the largest reading of each process over several looks."""

    def __init__(self) -> None:
        self._peaks: dict[int, int] = {}

    def look(self, workers: Iterable[int | None] = ()) -> None:
        """Read this process and its workers; `None` is a worker that does not run."""
        for pid in (os.getpid(), *workers):
            if pid is not None:
                self._peaks[pid] = max(self._peaks.get(pid, 0), peak_rss_bytes(pid))

    @property
    def total_bytes(self) -> int:
        """Sum over the processes seen. Pages that they share are counted in each of them."""
        return sum(self._peaks.values())
