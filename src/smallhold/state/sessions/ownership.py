"""Who works on a run: this file holds how a process is known, and how its end is noticed.

A process is known by the boot of its machine, the namespace that its number is valid in, its number
and when it was started. On one machine this says without any clock whether it still lives: a number
that was given to another process has another start. See `docs/decisions/032-run-ownership.md`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

import psutil

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_SPACE: Final = Path("/proc/self/ns/pid")
_STARTED_FIELD: Final = 19
"""Index of `starttime` after the command's name. Source: proc_pid_stat(5), field 22."""

StartedAt: TypeAlias = Callable[[int], int | None]
"""Tells when a process was started, in units of its own; `None` where there is no such process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """One process on one machine."""

    boot: str
    """Id of the machine's boot: another after each, and on each machine."""
    space: str
    """The namespace of process numbers: containers of one machine have one each."""
    pid: int
    started: int
    """When the process was started, in ticks since the boot."""

    def __str__(self) -> str:
        """Write it as it is stored."""
        return f"{self.boot}/{self.space}/{self.pid}/{self.started}"

    @classmethod
    def parse(cls, text: str) -> Owner | None:
        """Read what was stored; `None` where nobody is named."""
        parts = text.split("/")
        if len(parts) != 4 or not (parts[2].isdigit() and parts[3].isdigit()):  # noqa: PLR2004 - its fields
            return None
        return cls(boot=parts[0], space=parts[1], pid=int(parts[2]), started=int(parts[3]))


def is_alive(
    owner: Owner | None,
    *,
    here: Owner,
    works_here: bool,
    is_lease_over: bool,
    is_one_machine: bool,
    started_at: StartedAt,
) -> bool:
    """Decide whether somebody still works on a run.

    Args:
        owner: Who has it; `None` for nobody.
        here: This process.
        works_here: Whether this very process works on it.
        is_lease_over: Whether its lease has ended on the database's clock.
        is_one_machine: Whether only one machine can use the database, as with a SQLite file: an
            owner of another boot has then died with that.
        started_at: Looks a process up that this one can see.
    """
    if owner is None:
        return False
    if owner == here:
        return works_here
    if owner.boot != here.boot:
        return not is_one_machine and not is_lease_over
    if owner.space != here.space:
        return not is_lease_over
    return started_at(owner.pid) == owner.started


def this_process() -> Owner:
    """Say who this process is; a fork is another one."""
    return _process(os.getpid())


@cache
def _process(pid: int) -> Owner:
    return Owner(boot=_boot(), space=_space(), pid=pid, started=process_started(pid) or 0)


def process_started(pid: int) -> int | None:
    """Tell when a process was started, in ticks since the boot; `None` if there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None if _BOOT.exists() else _started_elsewhere(pid)
    # The name may hold spaces and parentheses; what follows the last one is numbers.
    fields = stat.rpartition(")")[2].split()
    # A zombie has ended: it only waits for its parent to read how.
    return None if fields[0] in {"Z", "X"} else int(fields[_STARTED_FIELD])


def _started_elsewhere(pid: int) -> int | None:
    """Ask on systems that have no `/proc`."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return round(process.create_time() * 100)
    except psutil.Error:
        return None


def _boot() -> str:
    try:
        return _BOOT.read_text("ascii").strip()
    except OSError:
        return str(round(psutil.boot_time()))


def _space() -> str:
    try:
        return str(_SPACE.stat().st_ino)
    except OSError:
        return "0"
