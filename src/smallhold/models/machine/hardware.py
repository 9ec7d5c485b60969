"""The machine that models run on: this file holds `detect_hardware`.

Inside a container the machine is what the container may use of it, so limits of control groups and
processor affinity are taken into account.
"""

from __future__ import annotations

import math
import platform
import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import psutil

from smallhold.models.machine.accelerator_detection import (
    detect_accelerators,
    engine_backends,
    platform_accelerators,
)
from smallhold.models.machine.accelerators import Accelerator, AcceleratorKind, free_gpu_bytes
from smallhold.models.machine.cgroup_limits import read_cgroup_limits
from smallhold.models.machine.cpu_topology import CpuTopology, read_topology
from smallhold.models.machine.kernel_files import kernel_text

CPU_FLAGS: Final = frozenset({
    *("sse4_2", "avx", "f16c", "fma", "avx2", "bmi2"),
    *("avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8"),
    *("asimd", "asimddp", "i8mm", "sve", "sve2", "bf16"),
})
"""Instruction sets for which llama.cpp has kernels of their own, as Linux names them."""

_MODEL_LINE: Final = re.compile(r"^(?:model name|Model|cpu model)\s*:\s*(\S.*)$", re.MULTILINE)
_FLAGS_LINE: Final = re.compile(r"^(?:flags|Features)\s*:\s*(.*)$", re.MULTILINE)


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
    efficiency_cores: int = 0
    """Physical cores that were built to save power; 0 where all cores are alike."""
    usable_performance_cores: int | None = None
    """The other physical cores, as far as this process may use them; `None` where the system does
    not tell."""
    accelerators: tuple[Accelerator, ...] = ()
    engine_backends: frozenset[AcceleratorKind] = frozenset()
    """Kinds of GPU that the installed engine computes on."""

    @property
    def is_limited(self) -> bool:
        """Whether this process may use fewer cores than the machine has."""
        return self.usable_cores < self.logical_cores

    @property
    def compute_cores(self) -> int:
        """How many threads a pass gains from, at least 1.

        Two threads of one core wait for the same arithmetic units, and all of a pass waits for its
        slowest thread: one thread for each physical core that was built to be fast.
        """
        cores = self.usable_performance_cores or self.physical_cores - self.efficiency_cores
        return max(1, min(self.usable_cores, cores))

    @property
    def gpu_memory_bytes(self) -> int:
        """Free memory of the GPUs that the installed engine computes on; 0 without one."""
        return free_gpu_bytes(self.accelerators, backends=self.engine_backends)


def detect_hardware(
    *,
    proc: Path = Path("/proc"),
    cgroup: Path = Path("/sys/fs/cgroup"),
    sys: Path = Path("/sys"),
    dev: Path = Path("/dev"),
    accelerators: bool = True,
) -> Hardware:
    """Look at the machine. Nothing that is missing or strange there is an error.

    Args:
        proc: Where the kernel's `procfs` is mounted.
        cgroup: Where its control groups are.
        sys: Where its `sysfs` is.
        dev: Where devices are.
        accelerators: Whether to look for GPUs too. NVIDIA's driver may take a second to answer.
    """
    system, machine = platform.system(), platform.machine()
    cpu_model, cpu_flags = parse_cpuinfo(kernel_text(proc / "cpuinfo"))
    cpu_model = cpu_model or platform.processor() or "unknown"
    logical_cores = psutil.cpu_count() or 1
    allowed = _affinity()
    topology = read_topology(sys, allowed=allowed) or CpuTopology(
        physical_cores=psutil.cpu_count(logical=False) or logical_cores
    )
    limits = read_cgroup_limits(proc=proc, cgroup=cgroup)
    memory = psutil.virtual_memory()
    hardware = Hardware(
        system=system,
        machine=machine,
        cpu_model=cpu_model,
        cpu_flags=cpu_flags,
        physical_cores=topology.physical_cores,
        logical_cores=logical_cores,
        usable_cores=usable_cores(
            logical=logical_cores,
            affinity=None if allowed is None else len(allowed),
            quota=limits.cpu_cores,
        ),
        total_memory_bytes=_at_most(memory.total, limits.memory_bytes),
        available_memory_bytes=_at_most(memory.available, limits.memory_left_bytes),
        efficiency_cores=topology.efficiency_cores,
        usable_performance_cores=topology.usable_performance_cores or None,
    )
    return _with_accelerators(hardware, sys=sys, proc=proc, dev=dev) if accelerators else hardware


def with_memory_now(
    hardware: Hardware,
    *,
    proc: Path = Path("/proc"),
    cgroup: Path = Path("/sys/fs/cgroup"),
) -> Hardware:
    """Look again at what memory is available, and at nothing else: takes under a millisecond."""
    left_bytes = read_cgroup_limits(proc=proc, cgroup=cgroup).memory_left_bytes
    available_bytes = _at_most(psutil.virtual_memory().available, left_bytes)
    return replace(hardware, available_memory_bytes=available_bytes)


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


def _with_accelerators(hardware: Hardware, *, sys: Path, proc: Path, dev: Path) -> Hardware:
    found = detect_accelerators(sys=sys, proc=proc, dev=dev)
    built_in = platform_accelerators(
        system=hardware.system,
        machine=hardware.machine,
        cpu_model=hardware.cpu_model,
        total_bytes=hardware.total_memory_bytes,
        available_bytes=hardware.available_memory_bytes,
    )
    return replace(hardware, accelerators=(*found, *built_in), engine_backends=engine_backends())


def _at_most(value: int, limit: int | None) -> int:
    return value if limit is None else min(value, limit)


def _affinity() -> AbstractSet[int] | None:
    # Not every system can tell: macOS has no affinity of processes.
    cpu_affinity = getattr(psutil.Process(), "cpu_affinity", None)
    return frozenset(cpu_affinity()) if cpu_affinity is not None else None
