"""Neural processing units: this file holds finding them.

They are shown, not used: llama.cpp has no kernels for them. Runtimes of other projects may.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from smallhold.models.machine.accelerators import Accelerator, AcceleratorKind
from smallhold.models.machine.kernel_files import kernel_folders, kernel_text, parse_assignments

_DRIVERS: Final[Mapping[str, str]] = {
    "intel_vpu": "Intel NPU",
    "amdxdna": "AMD XDNA",
    "rocket": "Rockchip NPU",
    "ethosu": "Arm Ethos-U",
    "qaic": "Qualcomm Cloud AI",
    "habanalabs": "Intel Gaudi",
}
"""Drivers of the kernel's subsystem for accelerators, `drivers/accel`."""
_DEVICES: Final[Mapping[str, str]] = {
    "hailo[0-9]*": "Hailo",
    "apex_[0-9]*": "Google Coral",
    "rknpu": "Rockchip NPU",
}
"""Devices of drivers outside that subsystem."""
_PROCESSORS: Final = (
    (re.compile(r"Snapdragon.* X\b", re.IGNORECASE), "Qualcomm Hexagon"),
    (re.compile(r"Core\(TM\) Ultra\b", re.IGNORECASE), "Intel NPU"),
    (re.compile(r"Ryzen AI\b", re.IGNORECASE), "AMD XDNA"),
)
"""Processors that have one inside, by what Windows calls them."""


def linux_npus(*, sys: Path, dev: Path) -> tuple[Accelerator, ...]:
    """Find those that a driver of the kernel has taken."""
    found: list[Accelerator] = []
    for folder in kernel_folders(sys / "class/accel", pattern="accel[0-9]*"):
        driver = parse_assignments(kernel_text(folder / "device/uevent")).get("DRIVER", "")
        found.append(_npu(_DRIVERS.get(driver, "NPU"), driver=driver or None))
    if not found:
        # Older kernels and containers have the device without the class.
        found += [_npu("NPU") for _ in kernel_folders(dev / "accel", pattern="accel[0-9]*")]
    for pattern, name in _DEVICES.items():
        found += [_npu(name) for _ in kernel_folders(dev, pattern=pattern)]
    return tuple(found)


def processor_npus(*, system: str, machine: str, cpu_model: str) -> tuple[Accelerator, ...]:
    """Tell of those that are known to be in a processor, where the system itself does not."""
    if system == "Darwin" and machine == "arm64":
        return (_npu("Apple Neural Engine"),)
    if system != "Windows":
        return ()
    return tuple(_npu(name) for pattern, name in _PROCESSORS if pattern.search(cpu_model))


def _npu(name: str, *, driver: str | None = None) -> Accelerator:
    return Accelerator(kind=AcceleratorKind.NPU, name=name, driver=driver, shares_memory=True)
