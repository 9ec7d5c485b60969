"""NVIDIA's GPUs: this file holds finding them, with NVML where it is installed and without.

NVML tells memory; without it the driver's own files still tell that there is a GPU, and which.
"""

from __future__ import annotations

import importlib
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from smallhold.models.machine.accelerators import Accelerator, AcceleratorKind
from smallhold.models.machine.kernel_files import kernel_folders, kernel_text, kernel_word

_VERSION: Final = re.compile(r"Kernel Module\b.*?\s(\d{3,4}\.\d{2,3}(?:\.\d{2,3})?)\s")
_FIELD: Final = re.compile(r"^(Model|GPU UUID):[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)
_DEVICE: Final = re.compile(r"nvidia\d+")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NvidiaGpu:
    """One GPU as the driver lists it."""

    name: str
    uuid: str = ""
    """`GPU-` and 32 hexadecimal digits with hyphens; empty when it is not known."""
    total_bytes: int | None = None
    free_bytes: int | None = None


def nvidia_accelerators(
    *, sys: Path, proc: Path, dev: Path, visible: str | None
) -> tuple[Accelerator, ...]:
    """Find the GPUs that CUDA would use.

    Args:
        sys: Where `sysfs` is mounted.
        proc: Where `procfs` is mounted.
        dev: Where devices are.
        visible: Value of the variable `CUDA_VISIBLE_DEVICES`, if it is set.
    """
    board = tegra_board(proc)
    if board is not None:
        found = Accelerator(
            kind=AcceleratorKind.CUDA, name=board, driver="nvgpu", shares_memory=True
        )
        return (found,)
    version = parse_driver_version(kernel_text(proc / "driver/nvidia/version"))
    # The library may start the driver, which takes seconds; not where there is nothing to find.
    gpus, driver = _ask_nvml() if _may_have_driver(sys=sys, proc=proc, dev=dev) else ((), None)
    gpus = gpus or _driver_gpus(proc=proc, dev=dev)
    return tuple(
        Accelerator(
            kind=AcceleratorKind.CUDA,
            name=gpu.name,
            memory_total_bytes=gpu.total_bytes,
            memory_free_bytes=gpu.free_bytes,
            driver=driver or version,
        )
        for gpu in visible_gpus(gpus, visible=visible)
    )


def parse_driver_version(text: str) -> str | None:
    """Read `/proc/driver/nvidia/version`; `None` for anything else."""
    match = _VERSION.search(f"{text}\n")
    return match.group(1) if match else None


def parse_information(text: str) -> NvidiaGpu:
    """Read a GPU's `/proc/driver/nvidia/gpus/*/information`."""
    fields = dict(_FIELD.findall(text))
    return NvidiaGpu(name=fields.get("Model", "NVIDIA GPU"), uuid=fields.get("GPU UUID", ""))


def visible_gpus(gpus: Sequence[NvidiaGpu], *, visible: str | None) -> tuple[NvidiaGpu, ...]:
    """Keep the GPUs that `CUDA_VISIBLE_DEVICES` names, in its order.

    Source: NVIDIA's CUDA programming guide: numbers or beginnings of UUIDs; the first name that
    fits nothing hides all that come after it.
    """
    if visible is None:
        return tuple(gpus)
    kept: list[NvidiaGpu] = []
    for word in (part.strip() for part in visible.split(",")):
        gpu = _named(gpus, word)
        if gpu is None or gpu in kept:
            break
        kept.append(gpu)
    return tuple(kept)


def tegra_board(proc: Path) -> str | None:
    """Name the Jetson board that this is; `None` on other machines."""
    compatible = kernel_text(proc / "device-tree/compatible")
    if "nvidia,tegra" not in compatible:
        return None
    return kernel_word(proc / "device-tree/model") or "NVIDIA Tegra"


def _named(gpus: Sequence[NvidiaGpu], word: str) -> NvidiaGpu | None:
    if word.isascii() and word.isdigit() and len(word) < len("1000"):
        return gpus[int(word)] if int(word) < len(gpus) else None
    fitting = [gpu for gpu in gpus if word.startswith("GPU-") and gpu.uuid.startswith(word)]
    return fitting[0] if len(fitting) == 1 else None


def _may_have_driver(*, sys: Path, proc: Path, dev: Path) -> bool:
    if not sys.is_dir():
        # Windows: the library lies in a folder of the system's if there is a driver.
        return True
    # Under WSL the driver is Windows's, behind one device.
    signs = (proc / "driver/nvidia", dev / "nvidiactl", dev / "dxg")
    return any(sign.exists() for sign in signs)


def _driver_gpus(*, proc: Path, dev: Path) -> tuple[NvidiaGpu, ...]:
    files = kernel_folders(proc / "driver/nvidia/gpus", pattern="*/information")
    devices = [d for d in kernel_folders(dev, pattern="nvidia*") if _DEVICE.fullmatch(d.name)]
    known = tuple(parse_information(kernel_text(file)) for file in files)
    # A container sees all GPUs' files, but only the devices that it was given.
    if devices and len(devices) <= len(known):
        return known[: len(devices)]
    return known or tuple(NvidiaGpu(name="NVIDIA GPU") for _ in devices)


def _ask_nvml() -> tuple[tuple[NvidiaGpu, ...], str | None]:
    try:
        # The package has no types.
        nvml: Any = importlib.import_module("pynvml")
    except ModuleNotFoundError:
        return (), None
    try:
        nvml.nvmlInit()
    except (nvml.NVMLError, OSError) as error:
        _log.debug("nvml.unavailable", extra={"error": str(error)})
        return (), None
    try:
        handles = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
        return tuple(_nvml_gpu(nvml, handle) for handle in handles), _text(
            nvml, nvml.nvmlSystemGetDriverVersion
        )
    except (nvml.NVMLError, OSError) as error:
        _log.debug("nvml.failed", extra={"error": str(error)})
        return (), None
    finally:
        nvml.nvmlShutdown()


def _nvml_gpu(nvml: Any, handle: Any) -> NvidiaGpu:
    try:
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        total_bytes, free_bytes = int(memory.total), int(memory.free)
    except nvml.NVMLError:
        # Boards whose GPU shares the machine's memory say that they do not support this.
        total_bytes = free_bytes = None
    return NvidiaGpu(
        name=_text(nvml, nvml.nvmlDeviceGetName, handle) or "NVIDIA GPU",
        uuid=_text(nvml, nvml.nvmlDeviceGetUUID, handle) or "",
        total_bytes=total_bytes,
        free_bytes=free_bytes,
    )


def _text(nvml: Any, ask: Any, *arguments: Any) -> str | None:
    try:
        return str(ask(*arguments))
    except nvml.NVMLError:
        return None
