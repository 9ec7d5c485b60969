"""Which models make room: this file holds the choice of what is evicted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldModel:
    """A model that takes memory, as plans see it."""

    key: int
    size_bytes: int
    last_used_s: float
    leases: int = 0
    """Requests that it is loaded for or that it answers."""
    is_pinned: bool = False
    is_leaving: bool = False
    """It is being unloaded: it still takes its memory, and takes no request."""
    wanted: int = 0
    """Requests that wait for it."""

    @property
    def is_evictable(self) -> bool:
        """Whether it may be unloaded for another one."""
        return self.leases == 0 and not self.is_pinned and not self.is_leaving


@dataclass(frozen=True, slots=True, kw_only=True)
class EvictionPlan:
    """What is to be unloaded."""

    keys: tuple[int, ...]
    freed_bytes: int
    """Compare it with the need: where nothing more may go, it is less."""


def plan_eviction(models: Sequence[HeldModel], *, needed_bytes: int) -> EvictionPlan:
    """Choose idle models to unload, least recently used first.

    A model that somebody waits for goes only after all others. Of those chosen, the ones without
    which there is room all the same are spared, the most recently used first: the least recently
    used one may be small, and a large one has to go anyway.

    Args:
        models: All that are held; those that answer, that are pinned or leaving stay.
        needed_bytes: What is to be freed; nothing is chosen for 0 or less.
    """
    return _chosen([model for model in models if model.is_evictable], needed_bytes=needed_bytes)


def plan_draining(models: Sequence[HeldModel], *, needed_bytes: int) -> EvictionPlan:
    """Choose models that are to take no further request, so that they can be unloaded.

    As `plan_eviction`, but models that answer may be chosen too, after the idle ones.
    """
    able = [model for model in models if not model.is_pinned and not model.is_leaving]
    return _chosen(able, needed_bytes=needed_bytes)


def _chosen(models: Sequence[HeldModel], *, needed_bytes: int) -> EvictionPlan:
    order = sorted(models, key=_reluctance)
    chosen: list[HeldModel] = []
    freed_bytes = 0
    for model in order:
        if freed_bytes < needed_bytes:
            chosen.append(model)
            freed_bytes += model.size_bytes
    for model in reversed(tuple(chosen)):
        if freed_bytes - model.size_bytes >= needed_bytes:
            chosen.remove(model)
            freed_bytes -= model.size_bytes
    return EvictionPlan(keys=tuple(model.key for model in chosen), freed_bytes=freed_bytes)


def _reluctance(model: HeldModel) -> tuple[bool, bool, float, int]:
    return model.leases > 0, model.wanted > 0, model.last_used_s, model.key
