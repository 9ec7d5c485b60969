"""Promises of `smallhold.models.machine.npus`: this file holds tests of finding NPUs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.kernel_tree import KernelTree

from smallhold.models.machine.npus import linux_npus, processor_npus


def names(kernel: KernelTree) -> list[str]:
    return [npu.name for npu in linux_npus(sys=kernel.sys, dev=kernel.dev)]


def test_an_npu_that_the_kernel_drives_is_named_by_its_driver(kernel: KernelTree) -> None:
    kernel.write("sys/class/accel/accel0/device/uevent", "DRIVER=intel_vpu\n")
    kernel.write("sys/class/accel/accel1/device/uevent", "DRIVER=something_new\n")
    kernel.write("dev/accel/accel0")
    assert names(kernel) == ["Intel NPU", "NPU"]


def test_a_device_without_its_class_is_an_npu(kernel: KernelTree) -> None:
    kernel.write("dev/accel/accel0")
    assert names(kernel) == ["NPU"]


def test_npus_with_drivers_of_their_own_are_known_by_their_devices(kernel: KernelTree) -> None:
    for device in ("hailo0", "apex_0"):
        kernel.write(f"dev/{device}")
    assert names(kernel) == ["Hailo", "Google Coral"]


def test_a_machine_without_one_has_none(kernel: KernelTree) -> None:
    assert names(kernel) == []


@pytest.mark.parametrize(
    ("system", "machine", "cpu_model", "npu"),
    [
        ("Darwin", "arm64", "Apple M4", ["Apple Neural Engine"]),
        ("Darwin", "x86_64", "Intel(R) Core(TM) i7", []),
        ("Windows", "ARM64", "Snapdragon(R) X Elite - X1E80100", ["Qualcomm Hexagon"]),
        ("Windows", "AMD64", "Intel(R) Core(TM) Ultra 7 155H", ["Intel NPU"]),
        ("Windows", "AMD64", "AMD Ryzen AI 9 HX 370", ["AMD XDNA"]),
        ("Windows", "AMD64", "Intel(R) Core(TM) i7-1185G7", []),
        ("Linux", "x86_64", "Intel(R) Core(TM) Ultra 7 155H", []),
    ],
)
def test_a_processor_tells_of_its_npu_where_the_system_does_not(
    system: str, machine: str, cpu_model: str, npu: list[str]
) -> None:
    found = processor_npus(system=system, machine=machine, cpu_model=cpu_model)
    assert [one.name for one in found] == npu


@given(st.text(), st.text(), st.text())
def test_any_name_is_read_without_an_error(system: str, machine: str, cpu_model: str) -> None:
    assert len(processor_npus(system=system, machine=machine, cpu_model=cpu_model)) <= 3
