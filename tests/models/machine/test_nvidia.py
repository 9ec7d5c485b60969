"""Promises of `smallhold.models.machine.nvidia`: this file holds tests of finding NVIDIA's GPUs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.kernel_tree import KernelTree

from smallhold.models.machine.accelerators import Accelerator, AcceleratorKind
from smallhold.models.machine.nvidia import (
    NvidiaGpu,
    nvidia_accelerators,
    parse_driver_version,
    parse_information,
    visible_gpus,
)

INFORMATION = """Model: \t\t NVIDIA H100 80GB HBM3
IRQ:   \t\t 10
GPU UUID: \t GPU-9221d5d1-b60b-a624-bf14-0a1819cfda3b
Video BIOS: \t 96.00.99.00.01
Bus Location: \t 0000:62:00.0
"""
VERSION = (
    "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.129.03  Thu Oct 19 18:56:32 UTC 2023\n"
    "GCC version:  gcc version 12.3.0 (Ubuntu 12.3.0-1ubuntu1~22.04)\n"
)
OPEN_VERSION = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build\n"

FAKE_LIBRARY = """
#include <string.h>
typedef struct { unsigned long long total, free, used; } memory_t;
static char device[2];
int nvmlInit_v2(void) { return 0; }
int nvmlInitWithFlags(unsigned flags) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned *n) { *n = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **h) { *h = &device[i]; return 0; }
int nvmlSystemGetDriverVersion(char *s, unsigned n) { strncpy(s, "580.65.06", n); return 0; }
int nvmlDeviceGetName(void *h, char *s, unsigned n) { strncpy(s, "Test GPU", n); return 0; }
int nvmlDeviceGetUUID(void *h, char *s, unsigned n) {
  strncpy(s, h == device ? "GPU-aaaa" : "GPU-bbbb", n); return 0; }
int nvmlDeviceGetMemoryInfo(void *h, memory_t *m) {
  if (h != device) return 3;  /* not supported, as boards that share memory say */
  m->total = 8000; m->free = 6000; m->used = 2000; return 0; }
"""
LOOK = """
import json, sys
from pathlib import Path
from smallhold.models.machine.nvidia import nvidia_accelerators
root = Path(sys.argv[1])
found = nvidia_accelerators(sys=root / "sys", proc=root / "proc", dev=root / "dev", visible=None)
print(json.dumps([[a.name, a.memory_total_bytes, a.memory_free_bytes, a.driver] for a in found]))
"""


def found(kernel: KernelTree, *, visible: str | None = None) -> tuple[Accelerator, ...]:
    return nvidia_accelerators(sys=kernel.sys, proc=kernel.proc, dev=kernel.dev, visible=visible)


@pytest.mark.parametrize(
    ("text", "version"), [(VERSION, "535.129.03"), (OPEN_VERSION, "580.65.06")]
)
def test_the_driver_s_version_is_read(text: str, version: str) -> None:
    assert parse_driver_version(text) == version


def test_a_gpu_is_read_with_its_name_and_uuid() -> None:
    assert parse_information(INFORMATION) == NvidiaGpu(
        name="NVIDIA H100 80GB HBM3", uuid="GPU-9221d5d1-b60b-a624-bf14-0a1819cfda3b"
    )


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    parse_driver_version(text)
    assert parse_information(text).name


def test_without_nvml_the_driver_s_own_files_still_name_the_gpu(kernel: KernelTree) -> None:
    kernel.sys.mkdir(parents=True)
    kernel.write("proc/driver/nvidia/version", VERSION)
    kernel.write("proc/driver/nvidia/gpus/0000:62:00.0/information", INFORMATION)
    assert found(kernel) == (
        Accelerator(kind=AcceleratorKind.CUDA, name="NVIDIA H100 80GB HBM3", driver="535.129.03"),
    )


def test_a_container_has_the_gpus_whose_devices_it_was_given(kernel: KernelTree) -> None:
    kernel.sys.mkdir(parents=True)
    for slot in ("01", "02"):
        kernel.write(f"proc/driver/nvidia/gpus/0000:{slot}:00.0/information", INFORMATION)
    for device in ("nvidia0", "nvidiactl", "nvidia-uvm"):
        kernel.write(f"dev/{device}")
    assert len(found(kernel)) == 1


def test_a_device_alone_is_a_gpu_without_a_name(kernel: KernelTree) -> None:
    kernel.sys.mkdir(parents=True)
    kernel.write("dev/nvidia0")
    assert [one.name for one in found(kernel)] == ["NVIDIA GPU"]


def test_a_machine_without_the_driver_has_none(kernel: KernelTree) -> None:
    kernel.sys.mkdir(parents=True)
    assert found(kernel) == ()


def test_a_jetson_board_computes_in_the_machine_s_memory(kernel: KernelTree) -> None:
    kernel.write("proc/device-tree/compatible", "nvidia,p3768\0nvidia,tegra234\0")
    kernel.write("proc/device-tree/model", "NVIDIA Jetson Orin Nano\0")
    (board,) = found(kernel)
    assert board.name == "NVIDIA Jetson Orin Nano"
    assert board.shares_memory


GPUS = tuple(NvidiaGpu(name=f"gpu {n}", uuid=f"GPU-{n}{n}{n}{n}") for n in range(3))


@pytest.mark.parametrize(
    ("visible", "numbers"),
    [
        (None, [0, 1, 2]),
        ("", []),
        ("-1", []),
        ("2,0", [2, 0]),
        ("0,7,1", [0]),
        ("GPU-1", [1]),
        ("GPU-", []),
        ("1,1", [1]),
        ("x", []),
    ],
)
def test_cuda_sees_what_its_variable_names(visible: str | None, numbers: list[int]) -> None:
    assert visible_gpus(GPUS, visible=visible) == tuple(GPUS[number] for number in numbers)


@given(st.text(st.sampled_from("0123-, GPUx"), max_size=20))
def test_no_variable_shows_a_gpu_twice_or_one_that_is_not_there(visible: str) -> None:
    kept = visible_gpus(GPUS, visible=visible)
    assert len(set(kept)) == len(kept)
    assert set(kept) <= set(GPUS)


@pytest.fixture
def nvml_folder(tmp_path: Path) -> Path:
    """A library that speaks NVML's interface, compiled here: no GPU is needed to test the way."""
    compiler = shutil.which("cc")
    pytest.importorskip("pynvml", reason="needs the extra `gpu`")
    if compiler is None:
        pytest.skip("needs a C compiler")
    source, folder = tmp_path / "nvml.c", tmp_path / "lib"
    source.write_text(FAKE_LIBRARY)
    folder.mkdir()
    library = folder / "libnvidia-ml.so.1"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    return folder


def test_nvml_tells_memory_where_a_gpu_has_its_own(kernel: KernelTree, nvml_folder: Path) -> None:
    kernel.sys.mkdir(parents=True)
    kernel.write("dev/nvidiactl")
    done = subprocess.run(
        [sys.executable, "-c", LOOK, str(kernel.root)],
        env={**os.environ, "LD_LIBRARY_PATH": str(nvml_folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [
        ["Test GPU", 8000, 6000, "580.65.06"],
        ["Test GPU", None, None, "580.65.06"],
    ]
