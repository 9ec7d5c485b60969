"""Promises of `smallhold.models.machine.pressure`:
this file holds tests of reading memory's figures.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.kernel_tree import KernelTree

from smallhold.models.machine.pressure import (
    parse_meminfo,
    parse_pressure,
    read_available_memory,
    read_memory_pressure,
)

CALM = "some avg10=0.00 avg60=0.10 avg300=0.20 total=5\nfull avg10=0.00 avg60=0 avg300=0 total=1\n"
TIGHT = CALM.replace("avg10=0.00", "avg10=42.50", 1)


def test_pressure_is_the_share_of_ten_seconds_in_which_some_task_waited() -> None:
    assert parse_pressure(TIGHT) == 0.425


@pytest.mark.parametrize(
    "text", ["", "full avg10=3.00\n", "some\n", "some avg10=x\n", "some avg10=nan"]
)
def test_a_kernel_without_such_figures_tells_nothing(text: str) -> None:
    assert parse_pressure(text) is None


def test_a_container_at_its_limit_is_under_pressure_on_a_calm_machine(kernel: KernelTree) -> None:
    kernel.write("proc/pressure/memory", CALM)
    kernel.write("proc/self/cgroup", "0::/kube/pod\n")
    kernel.write("sys/fs/cgroup/kube/pod/memory.pressure", TIGHT)
    assert read_memory_pressure(proc=kernel.proc, cgroup=kernel.cgroup) == 0.425


def test_a_machine_under_pressure_is_so_for_all_its_containers(kernel: KernelTree) -> None:
    kernel.write("proc/pressure/memory", TIGHT)
    kernel.write("proc/self/cgroup", "0::/\n")
    kernel.write("sys/fs/cgroup/memory.pressure", CALM)
    assert read_memory_pressure(proc=kernel.proc, cgroup=kernel.cgroup) == 0.425


def test_a_group_outside_of_what_is_mounted_is_not_looked_for(kernel: KernelTree) -> None:
    kernel.write("proc/self/cgroup", "0::/../../other\n")
    kernel.write("other/memory.pressure", TIGHT)
    assert read_memory_pressure(proc=kernel.proc, cgroup=kernel.cgroup) is None


def test_available_memory_is_what_machine_and_group_both_leave(kernel: KernelTree) -> None:
    kernel.write("proc/meminfo", "MemTotal: 8000000 kB\nMemAvailable:    4000000 kB\nHuge: 3\n")
    assert read_available_memory(proc=kernel.proc, cgroup=kernel.cgroup) == 4_096_000_000
    kernel.write("proc/self/cgroup", "0::/\n")
    kernel.write("sys/fs/cgroup/memory.max", "1000000\n")
    kernel.write("sys/fs/cgroup/memory.current", "400000\n")
    assert read_available_memory(proc=kernel.proc, cgroup=kernel.cgroup) == 600_000


def test_a_system_without_such_files_tells_nothing_of_memory(kernel: KernelTree) -> None:
    assert read_available_memory(proc=kernel.proc, cgroup=kernel.cgroup) is None


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    ratio = parse_pressure(text)
    assert ratio is None or 0 <= ratio <= 1
    assert all(size >= 0 for size in parse_meminfo(text).values())


@given(st.floats(0, 100))
def test_pressure_is_read_as_it_was_written(percent: float) -> None:
    assert parse_pressure(f"some avg10={percent:.2f} avg60=0") == pytest.approx(
        round(percent, 2) / 100
    )
