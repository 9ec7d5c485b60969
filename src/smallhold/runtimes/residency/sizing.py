"""What a model takes, and what all may take: this file holds corrected estimates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from smallhold.models.machine.hardware import Hardware
from smallhold.runtimes.residency.specs import Footprint, ProcessMemory

RESERVE_RATIO: Final = 0.05
"""Share of the machine's memory that is left to others, within the two bounds below."""
MIN_RESERVE_BYTES: Final = 64 * 1024 * 1024
MAX_RESERVE_BYTES: Final = 1024 * 1024 * 1024


def expected_bytes(footprint: Footprint, *, peak_rss_bytes: int, is_known: bool) -> int:
    """Say what a model will take at most.

    What was measured can only raise the estimate until all buffers have been in use. Afterwards the
    measurement holds, with room for a prefix cache that may still fill.

    Args:
        footprint: The estimate.
        peak_rss_bytes: The most that its process was seen to take; 0 before it was seen.
        is_known: Whether that was when all of its buffers had been in use.
    """
    if not is_known:
        return max(footprint.total_bytes, peak_rss_bytes)
    return max(peak_rss_bytes, min(footprint.total_bytes, peak_rss_bytes + footprint.cache_bytes))


def memory_budget(
    hardware: Hardware, taken: Iterable[ProcessMemory], *, max_bytes: int | None
) -> int:
    """Say what all models may take together.

    The system counts mapped pages of loaded models as available, so of what models hold only their
    private pages come on top of what it calls available.

    Args:
        hardware: The machine as it is now.
        taken: What the models that are loaded take.
        max_bytes: The user's own limit.
    """
    private_bytes = sum(memory.private_bytes for memory in taken)
    free_bytes = hardware.available_memory_bytes - reserve_bytes(hardware) + private_bytes
    return free_bytes if max_bytes is None else min(max_bytes, free_bytes)


def reserve_bytes(hardware: Hardware) -> int:
    """Say what is left to others."""
    share = int(hardware.total_memory_bytes * RESERVE_RATIO)
    return max(MIN_RESERVE_BYTES, min(MAX_RESERVE_BYTES, share))
