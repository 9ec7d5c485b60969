"""Looking for GPUs and NPUs: this file holds `detect_accelerators`.

Nothing here needs an optional package; NVIDIA's only adds how much memory is free.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from smallhold.models.machine.accelerators import Accelerator, AcceleratorKind
from smallhold.models.machine.drm_gpus import drm_accelerators
from smallhold.models.machine.kernel_files import kernel_folders
from smallhold.models.machine.npus import linux_npus, processor_npus
from smallhold.models.machine.nvidia import nvidia_accelerators

_LIBRARIES: Final = {
    "ggml-cuda": AcceleratorKind.CUDA,
    "ggml-hip": AcceleratorKind.ROCM,
    "ggml-metal": AcceleratorKind.METAL,
    "ggml-vulkan": AcceleratorKind.VULKAN,
}
"""Libraries of llama.cpp's backends. Source: `ggml/src/CMakeLists.txt`, `ggml_add_backend`."""


def detect_accelerators(
    *,
    sys: Path = Path("/sys"),
    proc: Path = Path("/proc"),
    dev: Path = Path("/dev"),
    cuda_visible_devices: str | None = None,
) -> tuple[Accelerator, ...]:
    """Find what a Linux machine has; on other systems, NVIDIA's GPUs.

    Args:
        sys: Where `sysfs` is mounted.
        proc: Where `procfs` is mounted.
        dev: Where devices are.
        cuda_visible_devices: What CUDA is told to use; `None` takes the variable of that name.
    """
    if cuda_visible_devices is None:
        cuda_visible_devices = os.environ.get("CUDA_VISIBLE_DEVICES")
    return (
        *nvidia_accelerators(sys=sys, proc=proc, dev=dev, visible=cuda_visible_devices),
        *drm_accelerators(sys),
        *linux_npus(sys=sys, dev=dev),
    )


def platform_accelerators(
    *, system: str, machine: str, cpu_model: str, total_bytes: int, available_bytes: int
) -> tuple[Accelerator, ...]:
    """Tell of what comes with a processor on macOS and Windows.

    Args:
        system: Such as `Darwin`.
        machine: Such as `arm64`.
        cpu_model: The processor's name.
        total_bytes: The machine's memory, which Apple's GPUs share.
        available_bytes: What of it could be taken now.
    """
    npus = processor_npus(system=system, machine=machine, cpu_model=cpu_model)
    if system != "Darwin" or machine != "arm64":
        return npus
    # Metal recommends at most about two thirds of the memory, more on large machines.
    limit_bytes = total_bytes * 2 // 3
    gpu = Accelerator(
        kind=AcceleratorKind.METAL,
        name=cpu_model if cpu_model.startswith("Apple") else "Apple GPU",
        memory_total_bytes=limit_bytes,
        memory_free_bytes=min(limit_bytes, available_bytes),
        driver="Metal",
        shares_memory=True,
    )
    return (gpu, *npus)


def engine_backends() -> frozenset[AcceleratorKind]:
    """Tell which kinds of GPU the installed engine was built for; nothing is loaded."""
    spec: ModuleSpec | None = find_spec("llama_cpp")
    places = spec.submodule_search_locations if spec is not None else None
    folders = [Path(place) / "lib" for place in places or ()]
    names = (file.name for folder in folders for file in kernel_folders(folder, pattern="*ggml-*"))
    return backends_of(names)


def backends_of(files: Iterable[str]) -> frozenset[AcceleratorKind]:
    """Tell kinds of GPU by the names of an engine's libraries, such as `libggml-cuda.so`."""
    stems = {name.partition(".")[0].removeprefix("lib") for name in files}
    return frozenset(kind for library, kind in _LIBRARIES.items() if library in stems)
