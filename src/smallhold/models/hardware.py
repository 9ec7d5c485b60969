"""The machine that models run on: this file holds `detect_hardware`.

Inside a container the machine is what the container may use of it, so limits of control groups and
processor affinity are taken into account.
"""

from __future__ import annotations

import math
import platform
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import psutil

from smallhold.models.cgroups import (
    group_and_parents,
    parse_cpu_max,
    parse_cpu_quota,
    parse_membership,
    parse_memory,
    parse_statistics,
    smallest,
)

CPU_FLAGS: Final = frozenset({
    *("sse4_2", "avx", "f16c", "fma", "avx2", "bmi2"),
    *("avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8"),
    *("asimd", "asimddp", "i8mm", "sve", "sve2", "bf16"),
})
"""Instruction sets for which llama.cpp has kernels of their own, as Linux names them."""

_MODEL_LINE: Final = re.compile(r"^(?:model name|Model|cpu model)\s*:\s*(\S.*)$", re.MULTILINE)
_FLAGS_LINE: Final = re.compile(r"^(?:flags|Features)\s*:\s*(.*)$", re.MULTILINE)
_TEXT_MAX_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What this process may compute with."""

    system: str
    """Operating system, such as `Linux`."""
    machine: str
    """Instruction set architecture, such as `x86_64` or `aarch64`."""
    cpu_model: str
    cpu_flags: frozenset[str]
    """Those of `CPU_FLAGS` that the processor has; empty where the system does not tell."""
    physical_cores: int
    logical_cores: int
    usable_cores: int
    """Whole cores that affinity and control groups leave to this process, at least 1."""
    total_memory_bytes: int
    """Memory of the machine, or the control group's limit where that is less."""
    available_memory_bytes: int
    """Memory that could be taken now without swapping."""

    @property
    def is_limited(self) -> bool:
        """Whether this process may use fewer cores than the machine has."""
        return self.usable_cores < self.logical_cores


@dataclass(frozen=True, slots=True, kw_only=True)
class CgroupLimits:
    """What the control groups allow; `None` for no limit."""

    cpu_cores: float | None = None
    memory_bytes: int | None = None
    memory_left_bytes: int | None = None


def detect_hardware(
    *, proc: Path = Path("/proc"), cgroup: Path = Path("/sys/fs/cgroup")
) -> Hardware:
    """Look at the machine; `proc` and `cgroup` are where the kernel's files are mounted."""
    cpu_model, cpu_flags = parse_cpuinfo(_text(proc / "cpuinfo"))
    limits = read_cgroup_limits(proc=proc, cgroup=cgroup)
    memory = psutil.virtual_memory()
    logical_cores = psutil.cpu_count() or 1
    return Hardware(
        system=platform.system(),
        machine=platform.machine(),
        cpu_model=cpu_model or platform.processor() or "unknown",
        cpu_flags=cpu_flags,
        physical_cores=psutil.cpu_count(logical=False) or logical_cores,
        logical_cores=logical_cores,
        usable_cores=usable_cores(
            logical=logical_cores, affinity=_affinity_cores(), quota=limits.cpu_cores
        ),
        total_memory_bytes=_at_most(memory.total, limits.memory_bytes),
        available_memory_bytes=_at_most(memory.available, limits.memory_left_bytes),
    )


def parse_cpuinfo(text: str) -> tuple[str, frozenset[str]]:
    """Read `/proc/cpuinfo`: the processor's name and those of its flags that matter here.

    On machines with two kinds of cores, only flags that all cores have are counted.
    """
    model = _MODEL_LINE.search(text)
    flag_sets = [set(match.group(1).split()) for match in _FLAGS_LINE.finditer(text)]
    flags = set[str].intersection(*flag_sets) if flag_sets else set[str]()
    return (model.group(1).strip() if model else ""), CPU_FLAGS & flags


def usable_cores(*, logical: int, affinity: int | None, quota: float | None) -> int:
    """Decide how many threads can run at once.

    A quota of 1.5 cores counts as 2: threads then pause for a quarter of the time, which costs less
    than leaving half a core idle.
    """
    limits = (logical, affinity, math.ceil(quota) if quota is not None else None)
    return max(1, min(limit for limit in limits if limit is not None))


def read_cgroup_limits(*, proc: Path, cgroup: Path) -> CgroupLimits:
    """Read the limits of this process's control groups; none where there are no such groups."""
    groups = parse_membership(_text(proc / "self" / "cgroup"))
    if "memory" in groups or "cpu" in groups:
        return _limits_v1(groups, cgroup)
    return _limits_v2(groups.get("", PurePosixPath("/")), cgroup)


def _limits_v2(group: PurePosixPath, root: Path) -> CgroupLimits:
    folders = [root / path for path in group_and_parents(group)]
    pairs = [
        _memory_pair(folder, limit="memory.max", usage="memory.current", cache="inactive_file")
        for folder in folders
    ]
    return CgroupLimits(
        cpu_cores=smallest(parse_cpu_max(_text(folder / "cpu.max")) for folder in folders),
        memory_bytes=_smallest_bytes(pairs, lambda pair: pair[0]),
        memory_left_bytes=_smallest_bytes(pairs, lambda pair: pair[1]),
    )


def _limits_v1(groups: Mapping[str, PurePosixPath], root: Path) -> CgroupLimits:
    cpu = [root / "cpu" / path for path in group_and_parents(groups.get("cpu", PurePosixPath()))]
    memory = group_and_parents(groups.get("memory", PurePosixPath()))
    pairs = [
        _memory_pair(
            root / "memory" / path,
            limit="memory.limit_in_bytes",
            usage="memory.usage_in_bytes",
            cache="total_inactive_file",
        )
        for path in memory
    ]
    quotas = (
        parse_cpu_quota(_text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us"))
        for folder in cpu
    )
    return CgroupLimits(
        cpu_cores=smallest(quotas),
        memory_bytes=_smallest_bytes(pairs, lambda pair: pair[0]),
        memory_left_bytes=_smallest_bytes(pairs, lambda pair: pair[1]),
    )


def _memory_pair(
    folder: Path, *, limit: str, usage: str, cache: str
) -> tuple[int | None, int | None]:
    limit_bytes = parse_memory(_text(folder / limit))
    usage_bytes = parse_memory(_text(folder / usage))
    if limit_bytes is None or usage_bytes is None:
        return limit_bytes, limit_bytes
    # File pages that nobody has touched lately are given back as soon as memory is asked for.
    cached_bytes = parse_statistics(_text(folder / "memory.stat")).get(cache, 0)
    return limit_bytes, max(0, limit_bytes - max(0, usage_bytes - cached_bytes))


def _smallest_bytes(
    pairs: list[tuple[int | None, int | None]],
    choose: Callable[[tuple[int | None, int | None]], int | None],
) -> int | None:
    value = smallest(choose(pair) for pair in pairs)
    return None if value is None else int(value)


def _at_most(value: int, limit: int | None) -> int:
    return value if limit is None else min(value, limit)


def _affinity_cores() -> int | None:
    # Not every system can tell: macOS has no affinity of processes.
    cpu_affinity = getattr(psutil.Process(), "cpu_affinity", None)
    return len(cpu_affinity()) if cpu_affinity is not None else None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_TEXT_MAX_BYTES).decode(errors="replace")
    except OSError:
        return ""
