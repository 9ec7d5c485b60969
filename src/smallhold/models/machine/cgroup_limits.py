"""What this process's control groups leave to it: this file holds reading their limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from smallhold.models.machine.cgroups import (
    group_and_parents,
    parse_cpu_max,
    parse_cpu_quota,
    parse_membership,
    parse_memory,
    parse_statistics,
    smallest,
)
from smallhold.models.machine.kernel_files import kernel_text


@dataclass(frozen=True, slots=True, kw_only=True)
class CgroupLimits:
    """What the control groups allow; `None` for no limit."""

    cpu_cores: float | None = None
    memory_bytes: int | None = None
    memory_left_bytes: int | None = None


def read_cgroup_limits(*, proc: Path, cgroup: Path) -> CgroupLimits:
    """Read the limits of this process's control groups; none where there are no such groups."""
    groups = parse_membership(kernel_text(proc / "self" / "cgroup"))
    if "memory" in groups or "cpu" in groups:
        return _limits_v1(groups, cgroup)
    return _limits_v2(groups.get("", PurePosixPath("/")), cgroup)


def _limits_v2(group: PurePosixPath, root: Path) -> CgroupLimits:
    folders = [root / path for path in group_and_parents(group)]
    pairs = [
        _memory_pair(folder, limit="memory.max", usage="memory.current", cache="inactive_file")
        for folder in folders
    ]
    return CgroupLimits(
        cpu_cores=smallest(parse_cpu_max(kernel_text(folder / "cpu.max")) for folder in folders),
        memory_bytes=_smallest_bytes(pairs, lambda pair: pair[0]),
        memory_left_bytes=_smallest_bytes(pairs, lambda pair: pair[1]),
    )


def _limits_v1(groups: Mapping[str, PurePosixPath], root: Path) -> CgroupLimits:
    cpu = [root / "cpu" / path for path in group_and_parents(groups.get("cpu", PurePosixPath()))]
    memory = group_and_parents(groups.get("memory", PurePosixPath()))
    pairs = [
        _memory_pair(
            root / "memory" / path,
            limit="memory.limit_in_bytes",
            usage="memory.usage_in_bytes",
            cache="total_inactive_file",
        )
        for path in memory
    ]
    quotas = (
        parse_cpu_quota(
            kernel_text(folder / "cpu.cfs_quota_us"), kernel_text(folder / "cpu.cfs_period_us")
        )
        for folder in cpu
    )
    return CgroupLimits(
        cpu_cores=smallest(quotas),
        memory_bytes=_smallest_bytes(pairs, lambda pair: pair[0]),
        memory_left_bytes=_smallest_bytes(pairs, lambda pair: pair[1]),
    )


def _memory_pair(
    folder: Path, *, limit: str, usage: str, cache: str
) -> tuple[int | None, int | None]:
    limit_bytes = parse_memory(kernel_text(folder / limit))
    usage_bytes = parse_memory(kernel_text(folder / usage))
    if limit_bytes is None or usage_bytes is None:
        return limit_bytes, limit_bytes
    # File pages that nobody has touched lately are given back as soon as memory is asked for.
    cached_bytes = parse_statistics(kernel_text(folder / "memory.stat")).get(cache, 0)
    return limit_bytes, max(0, limit_bytes - max(0, usage_bytes - cached_bytes))


def _smallest_bytes(
    pairs: list[tuple[int | None, int | None]],
    choose: Callable[[tuple[int | None, int | None]], int | None],
) -> int | None:
    value = smallest(choose(pair) for pair in pairs)
    return None if value is None else int(value)
