"""Whether tasks wait for memory: this file holds reading the kernel's pressure and memory figures.

Source: the kernel's documentation, `accounting/psi` and `filesystems/proc`.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

from smallhold.models.machine.cgroup_limits import read_cgroup_limits
from smallhold.models.machine.cgroups import parse_membership, smallest
from smallhold.models.machine.kernel_files import kernel_text

_PERCENT: Final = 100.0
_KIB: Final = 1024
_MAX_DIGITS: Final = 15


def read_memory_pressure(*, proc: Path, cgroup: Path) -> float | None:
    """Read how much of the last ten seconds some task waited for memory, 0 to 1.

    The worse of the machine and this process's own control group: a container may be at its limit
    on a machine with memory to spare, and the other way round.
    """
    texts = [kernel_text(proc / "pressure" / "memory")]
    group = parse_membership(kernel_text(proc / "self" / "cgroup")).get("")
    if group is not None and ".." not in group.parts:
        texts.append(kernel_text(cgroup / group.relative_to("/") / "memory.pressure"))
    ratios = [ratio for text in texts if (ratio := parse_pressure(text)) is not None]
    return max(ratios, default=None)


def read_available_memory(*, proc: Path, cgroup: Path) -> int | None:
    """Read what could be taken now without swapping, within the control group's limit, in bytes."""
    machine = parse_meminfo(kernel_text(proc / "meminfo")).get("MemAvailable")
    group = read_cgroup_limits(proc=proc, cgroup=cgroup).memory_left_bytes
    available = smallest((machine, group))
    return None if available is None else int(available)


def parse_pressure(text: str) -> float | None:
    """Read `avg10` of the line `some` of a pressure file as a share, 0 to 1."""
    for line in text.splitlines():
        kind, *fields = line.split()[:2] or [""]
        if kind == "some" and fields and fields[0].startswith("avg10="):
            return _share(fields[0].removeprefix("avg10="))
    return None


def parse_meminfo(text: str) -> dict[str, int]:
    """Read `/proc/meminfo`: bytes by name."""
    sizes: dict[str, int] = {}
    for line in text.splitlines():
        name, colon, rest = line.partition(":")
        fields = rest.split()
        if colon and fields and _is_number(fields[0]):
            scale = _KIB if fields[1:] == ["kB"] else 1
            sizes[name.strip()] = int(fields[0]) * scale
    return sizes


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS


def _share(text: str) -> float | None:
    try:
        percent = float(text)
    except ValueError:
        return None
    return min(1.0, max(0.0, percent / _PERCENT)) if math.isfinite(percent) else None
