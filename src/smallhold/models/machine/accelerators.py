"""What a machine computes with beside its processor: this file holds `Accelerator`.

They are found by `smallhold.models.machine.accelerator_detection`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class AcceleratorKind(StrEnum):
    """How an accelerator is spoken to."""

    CUDA = "cuda"
    METAL = "metal"
    ROCM = "rocm"
    VULKAN = "vulkan"
    NPU = "npu"
    """A neural processing unit. llama.cpp computes on none of those that are found here."""


_SPEAK_VULKAN: Final = frozenset({
    AcceleratorKind.CUDA,
    AcceleratorKind.ROCM,
    AcceleratorKind.VULKAN,
})
"""What an engine that was built for Vulkan can use: drivers of all these offer it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """One GPU or NPU."""

    kind: AcceleratorKind
    name: str
    memory_total_bytes: int | None = None
    """What it computes in; `None` where the system does not tell."""
    memory_free_bytes: int | None = None
    driver: str | None = None
    """The driver's name, version or both."""
    shares_memory: bool = False
    """Whether it computes in the machine's own memory: a model that moves there frees none."""

    def runs_on(self, backends: Collection[AcceleratorKind]) -> bool:
        """Tell whether an engine of these backends computes on it."""
        if self.kind in backends:
            return True
        return AcceleratorKind.VULKAN in backends and self.kind in _SPEAK_VULKAN


def free_gpu_bytes(
    accelerators: Iterable[Accelerator], *, backends: Collection[AcceleratorKind]
) -> int:
    """Add up the free memory that an engine of these backends can put a model's layers in.

    llama.cpp spreads layers over all GPUs by default. Source: `llama.h`, `LLAMA_SPLIT_MODE_LAYER`.
    """
    usable = (one for one in accelerators if one.runs_on(backends))
    return sum(one.memory_free_bytes or 0 for one in usable)
