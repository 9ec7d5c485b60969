"""What a container may use of its machine: this file holds the parsing of Linux control groups.

Pure functions over the kernel's texts. Source: the kernel's documentation, `cgroup-v2.rst` and
`cgroup-v1/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final

UNLIMITED_FROM_BYTES: Final = 1 << 60
"""Version 1 writes "no limit" as a number near 2^63, rounded down to a page."""

_MAX_DIGITS: Final = 19
_MAX_FIELDS: Final = 2
_MEMBERSHIP_FIELDS: Final = 3


def parse_membership(text: str) -> Mapping[str, PurePosixPath]:
    """Read `/proc/self/cgroup`: the group's path for each controller; `""` is version 2."""
    groups: dict[str, PurePosixPath] = {}
    for line in text.splitlines():
        fields = line.split(":", 2)
        if len(fields) == _MEMBERSHIP_FIELDS and fields[2].startswith("/"):
            for controller in fields[1].split(","):
                groups[controller] = PurePosixPath(fields[2])
    return MappingProxyType(groups)


def group_and_parents(path: PurePosixPath) -> tuple[PurePosixPath, ...]:
    """List a group and those above it, relative to the root, since each of them limits it."""
    parts = [part for part in path.parts if part not in {"/", "..", "."}]
    return tuple(PurePosixPath(*parts[:depth]) for depth in range(len(parts), -1, -1))


def parse_cpu_max(text: str) -> float | None:
    """Read version 2's `cpu.max`: processors' worth of time, or `None` for no limit."""
    fields = text.split()
    return _ratio(*fields) if len(fields) == _MAX_FIELDS else None


def parse_cpu_quota(quota_us: str, period_us: str) -> float | None:
    """Read version 1's `cpu.cfs_quota_us` with `cpu.cfs_period_us`; -1 means no limit."""
    return _ratio(quota_us.strip(), period_us.strip())


def parse_memory(text: str) -> int | None:
    """Read a memory limit or usage in bytes; `None` for `max`, nonsense and no real limit."""
    value = _whole_number(text.strip())
    return value if value is not None and value < UNLIMITED_FROM_BYTES else None


def parse_statistics(text: str) -> Mapping[str, int]:
    """Read `memory.stat`: one name and one number on each line."""
    numbers: dict[str, int] = {}
    for line in text.splitlines():
        name, _, rest = line.partition(" ")
        value = _whole_number(rest.strip())
        if name and value is not None:
            numbers[name] = value
    return MappingProxyType(numbers)


def smallest(limits: Iterable[float | None]) -> float | None:
    """The tightest of some limits; `None` when none of them limits anything."""
    return min((limit for limit in limits if limit is not None), default=None)


def _ratio(quota: str, period: str) -> float | None:
    quota_us, period_us = _whole_number(quota), _whole_number(period)
    return quota_us / period_us if quota_us and period_us else None


def _whole_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else None
