"""GPUs that the kernel drives itself: this file holds finding AMD's, Intel's and small boards'.

Source: the kernel's documentation, `gpu/amdgpu/driver-misc`, and `uapi/linux/kfd_sysfs.h`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from smallhold.models.machine.accelerators import Accelerator, AcceleratorKind
from smallhold.models.machine.kernel_files import (
    kernel_folders,
    kernel_number,
    kernel_text,
    kernel_word,
    parse_assignments,
    parse_number,
)

_AMD_DRIVER: Final = "amdgpu"
_VULKAN_DRIVERS: Final[Mapping[str, str]] = {
    "amdgpu": "AMD Radeon",
    "i915": "Intel GPU",
    "xe": "Intel GPU",
    "nouveau": "NVIDIA GPU",
    "v3d": "Broadcom VideoCore",
    "panfrost": "Arm Mali",
    "panthor": "Arm Mali",
    "msm": "Qualcomm Adreno",
    "msm_dpu": "Qualcomm Adreno",
    "asahi": "Apple GPU",
}
"""Drivers of the kernel that Mesa has a Vulkan driver for, with a name for what they drive. Others
only show pictures."""
_CARVE_OUT_BYTES: Final = 1 << 30
"""No GPU of its own that can compute has less; what has is a processor's, with a corner of the
machine's memory set aside for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KfdNode:
    """A GPU as AMD's compute driver lists it."""

    render_minor: int
    """Number of its device, as in `renderD128`."""
    target: str
    """Its instruction set, such as `gfx1100`."""


def drm_accelerators(sys: Path) -> tuple[Accelerator, ...]:
    """Find GPUs that can compute and that drivers of the kernel drive; NVIDIA's own has others."""
    nodes = {node.render_minor: node for node in _kfd_nodes(sys)}
    cards = kernel_folders(sys / "class/drm", pattern="card[0-9]*")
    found = (
        _accelerator(card / "device", nodes=nodes)
        for card in cards
        if card.name.removeprefix("card").isdigit()
    )
    return tuple(accelerator for accelerator in found if accelerator is not None)


def parse_kfd_properties(text: str) -> KfdNode | None:
    """Read a node's `properties`; `None` for a node that is a processor, and for nonsense."""
    fields = dict(line.split(" ", 1) for line in text.splitlines() if " " in line)
    version = parse_number(fields.get("gfx_target_version", ""))
    minor = parse_number(fields.get("drm_render_minor", ""))
    if version is None or version <= 0 or minor is None or minor < 0:
        return None
    return KfdNode(render_minor=minor, target=gfx_target(version))


def gfx_target(version: int) -> str:
    """Name an instruction set by its number: 110001 is `gfx1101`, 90010 is `gfx90a`."""
    major, rest = divmod(version, 10_000)
    minor, stepping = divmod(rest, 100)
    return f"gfx{major}{minor:x}{stepping:x}"


def _kfd_nodes(sys: Path) -> tuple[KfdNode, ...]:
    files = kernel_folders(sys / "class/kfd/kfd/topology/nodes", pattern="*/properties")
    nodes = (parse_kfd_properties(kernel_text(file)) for file in files)
    return tuple(node for node in nodes if node is not None)


def _accelerator(device: Path, *, nodes: Mapping[int, KfdNode]) -> Accelerator | None:
    driver = parse_assignments(kernel_text(device / "uevent")).get("DRIVER", "")
    if driver not in _VULKAN_DRIVERS:
        return None
    node = next((nodes[minor] for minor in _render_minors(device) if minor in nodes), None)
    total_bytes, free_bytes = _memory(device, driver=driver)
    return Accelerator(
        kind=AcceleratorKind.VULKAN if node is None else AcceleratorKind.ROCM,
        name=_name(device, driver=driver, node=node),
        memory_total_bytes=total_bytes,
        memory_free_bytes=free_bytes,
        driver=driver,
        shares_memory=total_bytes is None or total_bytes <= _CARVE_OUT_BYTES,
    )


def _render_minors(device: Path) -> tuple[int, ...]:
    names = (folder.name for folder in kernel_folders(device / "drm", pattern="renderD*"))
    minors = (parse_number(name.removeprefix("renderD")) for name in names)
    return tuple(minor for minor in minors if minor is not None)


def _memory(device: Path, *, driver: str) -> tuple[int | None, int | None]:
    if driver != _AMD_DRIVER:
        total_bytes = kernel_number(device / "tile0/physical_vram_size_bytes")
        return (total_bytes, None) if total_bytes and total_bytes > 0 else (None, None)
    total_bytes = kernel_number(device / "mem_info_vram_total")
    used_bytes = kernel_number(device / "mem_info_vram_used")
    if total_bytes is None or total_bytes <= 0:
        return None, None
    if used_bytes is None or used_bytes < 0:
        return total_bytes, None
    return total_bytes, max(0, total_bytes - used_bytes)


def _name(device: Path, *, driver: str, node: KfdNode | None) -> str:
    product = kernel_word(device / "product_name")
    name = product if product.isprintable() and product else _VULKAN_DRIVERS[driver]
    if node is not None:
        return f"{name} {node.target}"
    number = kernel_word(device / "device")
    return f"{name} {number}" if not product and number.startswith("0x") else name
