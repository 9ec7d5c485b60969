"""Promises of `smallhold.models.machine.hardware`:
this file holds tests of describing the machine.
"""

from __future__ import annotations

from dataclasses import replace

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.kernel_tree import KernelTree

from smallhold.models.machine.accelerators import Accelerator, AcceleratorKind
from smallhold.models.machine.hardware import (
    CPU_FLAGS,
    Hardware,
    detect_hardware,
    parse_cpuinfo,
    usable_cores,
    with_memory_now,
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


def looked_at(kernel: KernelTree) -> Hardware:
    return detect_hardware(proc=kernel.proc, cgroup=kernel.cgroup, sys=kernel.sys, dev=kernel.dev)


def test_a_container_s_memory_limit_is_the_machine_s_memory(kernel: KernelTree) -> None:
    kernel.write("proc/cpuinfo", X86)
    kernel.write("proc/self/cgroup", "0::/\n")
    kernel.write("sys/fs/cgroup/memory.max", f"{1 << 20}\n")
    kernel.write("sys/fs/cgroup/cpu.max", "100000 100000\n")
    hardware = looked_at(kernel)
    assert hardware.total_memory_bytes == 1 << 20
    assert hardware.available_memory_bytes == 1 << 20
    assert hardware.usable_cores == 1
    assert hardware.compute_cores == 1
    assert hardware.cpu_model == "Some Processor 3000"


def test_cores_are_counted_by_kind(kernel: KernelTree) -> None:
    for number, capacity in enumerate((1024, 1024, 300, 300)):
        folder = f"sys/devices/system/cpu/cpu{number}"
        kernel.write(f"{folder}/cpu_capacity", f"{capacity}\n")
        kernel.write(f"{folder}/topology/core_cpus_list", f"{number}\n")
    hardware = looked_at(kernel)
    assert hardware.physical_cores == 4
    assert hardware.efficiency_cores == 2


def test_accelerators_are_looked_for_unless_told_not_to(kernel: KernelTree) -> None:
    kernel.write("sys/class/accel/accel0/device/uevent", "DRIVER=intel_vpu\n")
    assert [one.name for one in looked_at(kernel).accelerators] == ["Intel NPU"]
    hardware = detect_hardware(proc=kernel.proc, sys=kernel.sys, accelerators=False)
    assert hardware.accelerators == ()


def test_memory_can_be_looked_at_alone(kernel: KernelTree) -> None:
    kernel.write("proc/self/cgroup", "0::/\n")
    kernel.write("sys/fs/cgroup/memory.max", "4000000\n")
    before = looked_at(kernel)
    kernel.write("sys/fs/cgroup/memory.current", "3000000\n")
    after = with_memory_now(before, proc=kernel.proc, cgroup=kernel.cgroup)
    assert after == replace(before, available_memory_bytes=1_000_000)


MACHINE = Hardware(
    system="Linux", machine="aarch64", cpu_model="", cpu_flags=frozenset(),
    physical_cores=8, logical_cores=16, usable_cores=16,
    total_memory_bytes=8 * GIB, available_memory_bytes=4 * GIB,
)  # fmt: skip


@pytest.mark.parametrize(
    ("hardware", "cores"),
    [
        (MACHINE, 8),
        (replace(MACHINE, efficiency_cores=6), 2),
        (replace(MACHINE, usable_cores=3), 3),
        (replace(MACHINE, usable_performance_cores=1), 1),
        (replace(MACHINE, efficiency_cores=8), 1),
    ],
    ids=["each core", "fast cores", "a quota", "affinity", "no fast core"],
)
def test_a_pass_gains_from_fast_physical_cores_alone(hardware: Hardware, cores: int) -> None:
    assert hardware.compute_cores == cores


def test_memory_of_a_gpu_counts_where_the_engine_computes_on_it() -> None:
    gpu = Accelerator(kind=AcceleratorKind.CUDA, name="a GPU", memory_free_bytes=6 * GIB)
    idle = replace(MACHINE, accelerators=(gpu,))
    assert idle.gpu_memory_bytes == 0
    used = replace(idle, engine_backends=frozenset({AcceleratorKind.CUDA}))
    assert used.gpu_memory_bytes == 6 * GIB


def test_this_very_machine_can_be_described() -> None:
    hardware = detect_hardware()
    assert 1 <= hardware.usable_cores <= hardware.logical_cores
    assert hardware.is_limited == (hardware.usable_cores < hardware.logical_cores)
    assert 0 < hardware.available_memory_bytes <= hardware.total_memory_bytes
    assert hardware.total_memory_bytes <= psutil.virtual_memory().total
    assert hardware.cpu_model
