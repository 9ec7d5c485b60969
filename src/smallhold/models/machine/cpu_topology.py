"""Which cores a processor has: this file holds counting them by kind.

On hybrid processors, efficiency cores hold the others up: every layer of a pass ends when its
slowest thread does. Source: llama.cpp's `common.cpp`, `cpu_get_num_math`, which leaves Intel's
out likewise.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from smallhold.models.machine.kernel_files import (
    kernel_folders,
    kernel_number,
    kernel_text,
    kernel_word,
)

MAX_CPUS: Final = 8192
"""Source: `NR_CPUS` of Linux at its largest."""
_EFFICIENCY_RATIO: Final = 0.5
"""A core of less than half of the largest one's capacity was built to save power. On Arm's
`big.LITTLE` processors the little ones have 0.25 to 0.45, the middle ones 0.7 and more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CpuTopology:
    """Physical cores by kind."""

    physical_cores: int
    efficiency_cores: int = 0
    """Those of them that were built to save power; 0 where all cores are alike."""
    usable_performance_cores: int = 0
    """The other ones, as far as this process may use them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """One logical processor."""

    number: int
    core: tuple[int, int] | int
    """What it has in common with the other threads of its core."""
    capacity: int | None = None
    """Speed relative to the fastest core's 1024."""


def read_topology(sys: Path, *, allowed: Collection[int] | None) -> CpuTopology | None:
    """Count the cores of a Linux machine; `None` where the kernel does not tell.

    Args:
        sys: Where `sysfs` is mounted.
        allowed: Numbers of the processors that this process may use; `None` for all.
    """
    online = parse_cpu_list(kernel_text(sys / "devices/system/cpu/online"))
    folders = kernel_folders(sys / "devices/system/cpu", pattern="cpu[0-9]*")
    cpus = [cpu for folder in folders if (cpu := _cpu(folder)) is not None]
    cpus = [cpu for cpu in cpus if not online or cpu.number in online]
    slow = parse_cpu_list(kernel_text(sys / "devices/cpu_atom/cpus"))
    slow |= parse_cpu_list(kernel_text(sys / "devices/cpu_lowpower/cpus"))
    return count_cores(cpus, slow=slow, allowed=allowed) if cpus else None


def count_cores(
    cpus: Collection[Cpu], *, slow: Collection[int], allowed: Collection[int] | None
) -> CpuTopology:
    """Count physical cores by kind.

    Args:
        cpus: All logical processors.
        slow: Those that the kernel itself calls efficient; capacities decide where it names none.
        allowed: Those that this process may use; `None` for all.
    """
    cores = {cpu.core for cpu in cpus}
    efficient = _efficient(cpus, slow=slow)
    usable = {cpu.core for cpu in cpus if allowed is None or cpu.number in allowed}
    return CpuTopology(
        physical_cores=len(cores),
        efficiency_cores=len(efficient),
        usable_performance_cores=len(usable - efficient),
    )


def parse_cpu_list(text: str) -> frozenset[int]:
    """Read a list of processors as the kernel writes it: `0-3,8,10-11`; empty for nonsense."""
    numbers: set[int] = set()
    for part in text.strip().split(","):
        first, dash, last = part.strip().partition("-")
        start, end = _cpu_number(first), _cpu_number(last if dash else first)
        if start is None or end is None:
            return frozenset()
        numbers.update(range(start, end + 1))
    return frozenset(numbers)


def _efficient(cpus: Collection[Cpu], *, slow: Collection[int]) -> set[tuple[int, int] | int]:
    by_kernel = {cpu.core for cpu in cpus if cpu.number in slow}
    # Processors of small cores alone have no other ones to wait for.
    if by_kernel and len(by_kernel) < len({cpu.core for cpu in cpus}):
        return by_kernel
    limit = _EFFICIENCY_RATIO * max((cpu.capacity or 0 for cpu in cpus), default=0)
    return {cpu.core for cpu in cpus if cpu.capacity is not None and cpu.capacity < limit}


def _cpu(folder: Path) -> Cpu | None:
    number = _cpu_number(folder.name.removeprefix("cpu"))
    if number is None:
        return None
    core = kernel_number(folder / "topology/core_id")
    package = kernel_number(folder / "topology/physical_package_id")
    cluster = kernel_word(folder / "topology/core_cpus_list")
    siblings = parse_cpu_list(cluster)
    capacity = kernel_number(folder / "cpu_capacity")
    return Cpu(
        number=number,
        # Numbers of cores repeat in the clusters of some Arm processors; siblings do not.
        core=min(siblings) if siblings else _core(number, core=core, package=package),
        capacity=capacity if capacity is not None and capacity > 0 else None,
    )


def _core(number: int, *, core: int | None, package: int | None) -> tuple[int, int] | int:
    return number if core is None else (package or 0, core)


def _cpu_number(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(MAX_CPUS)):
        return None
    number = int(text)
    return number if number < MAX_CPUS else None
