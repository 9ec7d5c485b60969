"""Promises of `smallhold.models.hardware`: this file holds tests of describing the machine."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.models.hardware import (
    CPU_FLAGS,
    CgroupLimits,
    detect_hardware,
    parse_cpuinfo,
    read_cgroup_limits,
    usable_cores,
)

X86 = """processor\t: 0
model name\t: Some Processor 3000
flags\t\t: fpu sse4_2 avx avx2 fma f16c bmi2 unknown_flag
"""
ARM = """processor\t: 0
Features\t: fp asimd asimddp i8mm
processor\t: 1
Features\t: fp asimd asimddp
Model\t\t: Some Board 5
"""
GIB = 1 << 30


class Kernel:
    """Files as the kernel shows them, in a folder."""

    def __init__(self, root: Path) -> None:
        self.proc = root / "proc"
        self.cgroup = root / "cgroup"

    def write(self, path: str, text: str) -> None:
        file = self.proc.parent / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def limits(self) -> CgroupLimits:
        return read_cgroup_limits(proc=self.proc, cgroup=self.cgroup)


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(tmp_path)


def test_an_x86_processor_is_named_with_the_flags_that_matter() -> None:
    model, flags = parse_cpuinfo(X86)
    assert model == "Some Processor 3000"
    assert flags == {"sse4_2", "avx", "avx2", "fma", "f16c", "bmi2"}


def test_on_unequal_cores_only_flags_that_all_have_count() -> None:
    model, flags = parse_cpuinfo(ARM)
    assert model == "Some Board 5"
    assert flags == {"asimd", "asimddp"}


@given(st.text())
def test_any_text_describes_some_processor(text: str) -> None:
    _, flags = parse_cpuinfo(text)
    assert flags <= CPU_FLAGS


@given(st.integers(1, 512), st.none() | st.integers(1, 512), st.none() | st.floats(0.001, 1024))
def test_usable_cores_are_at_least_one_and_within_every_limit(
    logical: int, affinity: int | None, quota: float | None
) -> None:
    cores = usable_cores(logical=logical, affinity=affinity, quota=quota)
    assert 1 <= cores <= logical
    assert affinity is None or cores <= affinity
    assert quota is None or cores < quota + 1


def test_half_a_core_over_counts_as_a_core() -> None:
    assert usable_cores(logical=8, affinity=None, quota=1.5) == 2


def test_the_tightest_group_of_version_2_limits(kernel: Kernel) -> None:
    kernel.write("proc/self/cgroup", "0::/kube/pod\n")
    kernel.write("cgroup/kube/pod/cpu.max", "max 100000\n")
    kernel.write("cgroup/kube/cpu.max", "200000 100000\n")
    kernel.write("cgroup/kube/pod/memory.max", f"{4 * GIB}\n")
    kernel.write("cgroup/kube/pod/memory.current", f"{3 * GIB}\n")
    kernel.write("cgroup/kube/pod/memory.stat", f"inactive_file {GIB}\n")
    kernel.write("cgroup/kube/memory.max", f"{8 * GIB}\n")
    limits = kernel.limits()
    assert limits.cpu_cores == 2.0
    assert limits.memory_bytes == 4 * GIB
    assert limits.memory_left_bytes == 2 * GIB


def test_groups_of_version_1_are_read_from_their_own_trees(kernel: Kernel) -> None:
    kernel.write("proc/self/cgroup", "2:memory:/docker/a\n1:cpu:/docker/a\n0::/\n")
    kernel.write("cgroup/cpu/docker/a/cpu.cfs_quota_us", "50000\n")
    kernel.write("cgroup/cpu/docker/a/cpu.cfs_period_us", "100000\n")
    kernel.write("cgroup/memory/docker/a/memory.limit_in_bytes", f"{2 * GIB}\n")
    kernel.write("cgroup/memory/docker/a/memory.usage_in_bytes", f"{3 * GIB}\n")
    limits = kernel.limits()
    assert limits.cpu_cores == 0.5
    assert limits.memory_bytes == 2 * GIB
    assert limits.memory_left_bytes == 0


def test_a_system_without_groups_has_no_limits(kernel: Kernel) -> None:
    assert kernel.limits() == CgroupLimits()


def test_a_container_s_memory_limit_is_the_machine_s_memory(kernel: Kernel) -> None:
    kernel.write("proc/cpuinfo", X86)
    kernel.write("proc/self/cgroup", "0::/\n")
    kernel.write("cgroup/memory.max", f"{1 << 20}\n")
    kernel.write("cgroup/cpu.max", "100000 100000\n")
    hardware = detect_hardware(proc=kernel.proc, cgroup=kernel.cgroup)
    assert hardware.total_memory_bytes == 1 << 20
    assert hardware.available_memory_bytes == 1 << 20
    assert hardware.usable_cores == 1
    assert hardware.cpu_model == "Some Processor 3000"


def test_this_very_machine_can_be_described() -> None:
    hardware = detect_hardware()
    assert 1 <= hardware.usable_cores <= hardware.logical_cores
    assert hardware.is_limited == (hardware.usable_cores < hardware.logical_cores)
    assert 0 < hardware.available_memory_bytes <= hardware.total_memory_bytes
    assert hardware.total_memory_bytes <= psutil.virtual_memory().total
    assert hardware.cpu_model
