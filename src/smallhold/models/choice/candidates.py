"""What a file would take on a machine: this file holds weighing files by the catalog alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from smallhold.models.catalog.catalog import CatalogEntry, ModelFormat, ModelPurpose
from smallhold.models.choice.quantizations import approximate_bytes, is_lossy, preference
from smallhold.models.fit.fit import (
    MIN_CACHE_BYTES,
    MemoryEstimate,
    MemoryPlan,
    estimate_memory,
    usual_cache_bytes,
)
from smallhold.models.fit.shape import ModelShape
from smallhold.models.fit.weight_layout import kernel_flags
from smallhold.models.machine.hardware import Hardware

RESERVE_RATIO: Final = 0.125
"""Share of the machine's memory that models leave to everything else, within the two bounds below:
about what a system without a desktop takes on a board of 4 GB."""
MIN_RESERVE_BYTES: Final = 256 * 1024 * 1024
MAX_RESERVE_BYTES: Final = 2 * 1024 * 1024 * 1024

GPU_SHARE: Final = 0.9
"""Share of a GPU's free memory that a model may take; the driver needs some for itself."""

READING_RATE: Final = 0.494e9 * 256 / 2
"""Parameters times prompt tokens that a core computes in a second: 256 tokens of a model of 0.494
billion in one second on two cores. Source: `docs/benchmarks.md`, as for the engine's batches."""
SLOWEST_READING_TOKENS_S: Final = 1000 / 30
"""An agent's first prompt of 1,000 tokens is then read within half a minute."""

SHORTER_CONTEXTS: Final = (4096, 2048)
"""Tokens of context that a model is loaded with where the usual ones leave it no room. An agent's
prompt takes 600 to 1,500."""

_NON_COMMERCIAL: Final = ("research", "-nc", "noncommercial", "non-commercial")
"""Parts of names of licences. Source: SPDX's list, such as `CC-BY-NC-4.0`."""

_UNKNOWN_SHAPE: Final = ModelShape(
    architecture="", block_count=0, embedding_length=0, feed_forward_length=0, head_count=0,
    head_count_kv=0, key_length=0, value_length=0, vocabulary_size=0,
)  # fmt: skip
_EMBEDDER_BYTES: Final = 100_000_000
"""What an interpreter with numpy takes beside a sentence model's weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What a machine has for a model."""

    budget_bytes: int
    """Memory that it may take."""
    gpu_bytes: int
    """GPU memory that it may take; 0 without a GPU that the engine computes on."""
    available_bytes: int
    """Memory that is free just now."""
    cores: int
    cpu_flags: frozenset[str]
    """Instruction sets, on which it depends how an engine holds weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One file of the catalog, weighed for a machine."""

    entry: CatalogEntry
    estimate: MemoryEstimate
    plan: MemoryPlan
    fits: bool
    is_installed: bool
    is_default: bool
    """Whether the catalog names it first of its model's files."""
    reading_tokens_s: float
    """About how fast it would read a prompt on this CPU."""

    @property
    def on_gpu(self) -> bool:
        """Whether it would run on a GPU."""
        return self.plan.gpu_layers != 0

    @property
    def is_slow(self) -> bool:
        """Whether it would read a prompt too slowly to work with."""
        return not self.on_gpu and self.reading_tokens_s < SLOWEST_READING_TOKENS_S

    @property
    def is_lossy(self) -> bool:
        """Whether its quantization lost much."""
        return is_lossy(self.entry.quantization)

    @property
    def is_for_study_only(self) -> bool:
        """Whether its licence forbids commercial use, as far as its name tells."""
        licence = self.entry.licence.lower()
        return any(word in licence for word in _NON_COMMERCIAL)

    @property
    def preference(self) -> int:
        """Rank of its quantization where it would run; 0 is the best."""
        return preference(self.entry.quantization, on_gpu=self.on_gpu, is_default=self.is_default)


def room_of(hardware: Hardware, *, budget_bytes: int | None) -> Room:
    """Say what a machine has for a model.

    Args:
        hardware: The machine.
        budget_bytes: Most memory that the model may take; the machine's memory less what is left to
            everything else when left out.
    """
    total_bytes = hardware.total_memory_bytes
    reserve_bytes = min(MAX_RESERVE_BYTES, max(MIN_RESERVE_BYTES, int(total_bytes * RESERVE_RATIO)))
    return Room(
        budget_bytes=max(0, total_bytes - reserve_bytes) if budget_bytes is None else budget_bytes,
        gpu_bytes=int(hardware.gpu_memory_bytes * GPU_SHARE),
        available_bytes=hardware.available_memory_bytes,
        cores=hardware.compute_cores,
        cpu_flags=kernel_flags(hardware),
    )


def plan_for(room: Room) -> MemoryPlan:
    """Say how a model would be loaded when nothing else is said."""
    return MemoryPlan(
        cache_bytes=usual_cache_bytes(room.budget_bytes),
        threads=room.cores,
        gpu_layers=-1 if room.gpu_bytes > 0 else 0,
        cpu_flags=room.cpu_flags,
    )


def shorter_plans(plan: MemoryPlan) -> tuple[MemoryPlan, ...]:
    """The plan, and after it the same with less and less context, and the smallest cache."""
    cache_bytes = min(plan.cache_bytes, MIN_CACHE_BYTES)
    shorter = [tokens for tokens in SHORTER_CONTEXTS if tokens < plan.context_tokens]
    return (
        plan,
        *(
            replace(plan, context_tokens=tokens, cells=None, cache_bytes=cache_bytes)
            for tokens in shorter
        ),
    )


def weigh(
    entry: CatalogEntry, *, room: Room, plan: MemoryPlan, is_installed: bool, is_default: bool
) -> Candidate:
    """Find out whether and where a file fits: on a GPU if it can, else in memory.

    Args:
        entry: The file.
        room: What the machine has for it.
        plan: How it is loaded. Its `gpu_layers` are taken for all or nothing, its context for at
            most what the model was trained for.
        is_installed: Whether it is in the store.
        is_default: Whether the catalog names it first of its model's files.
    """
    plan = replace(plan, context_tokens=min(plan.context_tokens, entry.context_tokens))
    placed = _on_gpu(entry, room=room, plan=plan) if plan.gpu_layers != 0 else None
    if placed is None:
        plan = replace(plan, gpu_layers=0)
        estimate = estimate_entry(entry, plan=plan)
    else:
        plan, estimate = placed
    return Candidate(
        entry=entry,
        estimate=estimate,
        plan=plan,
        fits=estimate.total_bytes <= room.budget_bytes,
        is_installed=is_installed,
        is_default=is_default,
        reading_tokens_s=READING_RATE * room.cores / max(1, entry.parameter_count),
    )


def estimate_entry(entry: CatalogEntry, *, plan: MemoryPlan | None = None) -> MemoryEstimate:
    """Estimate what a file of the catalog takes, by what the catalog knows of it.

    Where the model's shape is not known, the estimate is on the safe side and says so.
    """
    weights_bytes = entry.size_bytes or approximate_bytes(entry.parameter_count, entry.quantization)
    if entry.purpose is ModelPurpose.SENTENCES:
        return MemoryEstimate(
            weights_bytes=weights_bytes,
            kv_bytes=0,
            compute_bytes=0,
            cache_bytes=0,
            process_bytes=_EMBEDDER_BYTES,
            is_conservative=True,
        )
    shape = entry.shape or _UNKNOWN_SHAPE
    return estimate_memory(shape, weights_bytes=weights_bytes, plan=plan)


def _on_gpu(
    entry: CatalogEntry, *, room: Room, plan: MemoryPlan
) -> tuple[MemoryPlan, MemoryEstimate] | None:
    moved = replace(plan, gpu_layers=-1, flash_attention=True)
    estimate = estimate_entry(entry, plan=moved)
    fits = 0 < estimate.device_bytes <= room.gpu_bytes and estimate.total_bytes <= room.budget_bytes
    return (moved, estimate) if fits else None


def is_runnable(entry: CatalogEntry) -> bool:
    """Tell whether Smallhold's own engine or embedder runs this kind of file."""
    if entry.purpose is ModelPurpose.SENTENCES:
        return entry.format is ModelFormat.SAFETENSORS
    return entry.format is ModelFormat.GGUF
