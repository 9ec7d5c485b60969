"""Promises of `smallhold.models.machine.accelerator_detection`:
this file holds tests of looking.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.kernel_tree import KernelTree

from smallhold.models.machine.accelerator_detection import (
    backends_of,
    detect_accelerators,
    engine_backends,
    platform_accelerators,
)
from smallhold.models.machine.accelerators import AcceleratorKind


def test_gpus_and_npus_of_all_makers_are_found_together(kernel: KernelTree) -> None:
    kernel.write("dev/nvidia0")
    kernel.write("sys/class/drm/card0/device/uevent", "DRIVER=xe\n")
    kernel.write("sys/class/accel/accel0/device/uevent", "DRIVER=amdxdna\n")
    found = detect_accelerators(
        sys=kernel.sys, proc=kernel.proc, dev=kernel.dev, cuda_visible_devices="0"
    )
    assert [one.kind for one in found] == [
        AcceleratorKind.CUDA,
        AcceleratorKind.VULKAN,
        AcceleratorKind.NPU,
    ]


def test_gpus_that_are_hidden_from_cuda_are_not_found(kernel: KernelTree) -> None:
    kernel.write("dev/nvidia0")
    kernel.sys.mkdir(parents=True)
    found = detect_accelerators(
        sys=kernel.sys, proc=kernel.proc, dev=kernel.dev, cuda_visible_devices=""
    )
    assert found == ()


def test_an_apple_processor_brings_a_gpu_in_shared_memory() -> None:
    gpu, npu = platform_accelerators(
        system="Darwin", machine="arm64", cpu_model="Apple M4",
        total_bytes=24_000, available_bytes=10_000,
    )  # fmt: skip
    assert gpu.kind is AcceleratorKind.METAL
    assert (gpu.memory_total_bytes, gpu.memory_free_bytes) == (16_000, 10_000)
    assert gpu.shares_memory
    assert npu.kind is AcceleratorKind.NPU


@pytest.mark.parametrize("system", ["Linux", "Windows"])
def test_other_processors_bring_no_gpu_that_is_known_by_name(system: str) -> None:
    found = platform_accelerators(
        system=system, machine="x86_64", cpu_model="Some", total_bytes=1, available_bytes=1
    )
    assert found == ()


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("libggml-cuda.so", AcceleratorKind.CUDA),
        ("ggml-vulkan.dll", AcceleratorKind.VULKAN),
        ("libggml-metal.0.dylib", AcceleratorKind.METAL),
        ("libggml-hip.so.0", AcceleratorKind.ROCM),
    ],
)
def test_an_engine_s_libraries_tell_what_it_computes_on(file: str, kind: AcceleratorKind) -> None:
    assert backends_of(["libggml-base.so", "libggml-cpu.so", file]) == {kind}


def test_the_engine_of_this_machine_can_be_asked_without_loading_it() -> None:
    assert AcceleratorKind.NPU not in engine_backends()


@given(st.lists(st.text()))
def test_any_names_of_files_are_read_without_an_error(files: list[str]) -> None:
    assert AcceleratorKind.NPU not in backends_of(files)
