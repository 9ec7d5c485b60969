"""What feeds the machine: this file holds the reading of batteries and mains.

Source: the kernel's documentation, `ABI/testing/sysfs-class-power`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from smallhold.models.machine.kernel_files import kernel_folders, kernel_number, kernel_word

_MAINS: Final = ("mains", "usb", "wireless", "ups")
"""Beginnings of names: there are `USB_PD` and `USB_DCP` too."""
_PERCENT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerSupply:
    """One battery or one way for current to come in."""

    kind: str
    """`battery`, `mains`, `usb`, `wireless` or `ups`."""
    is_online: bool | None = None
    """Whether current comes in here; of batteries it means nothing."""
    status: str = ""
    """Of a battery: `charging`, `discharging`, `not charging`, `full` or `unknown`."""
    charge_ratio: float | None = None
    """Of a battery: how full it is, 0 to 1."""
    capacity: int | None = None
    """Of a battery: what it holds when it is full, to weigh several of them by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryState:
    """What the supplies come to."""

    on_battery: bool | None = None
    battery_ratio: float | None = None


def read_power_supplies(sys: Path) -> tuple[PowerSupply, ...]:
    """Read all supplies of the machine, but not those of mice and headphones."""
    found = (_supply(folder) for folder in kernel_folders(sys / "class/power_supply", pattern="*"))
    return tuple(supply for supply in found if supply is not None)


def battery_state(supplies: Sequence[PowerSupply]) -> BatteryState:
    """Tell whether the machine runs from its batteries, and how full these are."""
    batteries = [supply for supply in supplies if supply.kind == "battery"]
    incoming = [s.is_online for s in supplies if s.kind in _MAINS and s.is_online is not None]
    return BatteryState(
        on_battery=_on_battery(batteries, incoming=incoming), battery_ratio=_ratio(batteries)
    )


def _on_battery(batteries: Sequence[PowerSupply], *, incoming: Sequence[bool]) -> bool | None:
    if any(incoming):
        return False
    if not batteries:
        # A mains adapter without current and without a battery cannot keep a machine running, so
        # the adapter is mistaken.
        return False if incoming else None
    statuses = {battery.status for battery in batteries}
    if "discharging" in statuses:
        return True
    if statuses <= {"charging", "full", "not charging"}:
        return False
    return True if incoming else None


def _ratio(batteries: Sequence[PowerSupply]) -> float | None:
    known = [battery for battery in batteries if battery.charge_ratio is not None]
    if not known:
        return None
    weighs = all(battery.capacity for battery in known)
    weights = [(battery.capacity or 1) if weighs else 1 for battery in known]
    total = sum(w * (b.charge_ratio or 0.0) for w, b in zip(weights, known, strict=True))
    return min(1.0, max(0.0, total / sum(weights)))


def _supply(folder: Path) -> PowerSupply | None:
    kind = kernel_word(folder / "type").lower()
    if kernel_word(folder / "scope").lower() == "device":
        return None
    if kind == "battery":
        return _battery(folder)
    mains = next((name for name in _MAINS if kind.startswith(name)), None)
    if mains is None:
        return None
    online = kernel_number(folder / "online")
    return PowerSupply(kind=mains, is_online=None if online is None else online > 0)


def _battery(folder: Path) -> PowerSupply | None:
    if kernel_number(folder / "present") == 0:
        return None
    percent = kernel_number(folder / "capacity")
    for unit in ("energy", "charge"):
        full, now = kernel_number(folder / f"{unit}_full"), kernel_number(folder / f"{unit}_now")
        if full is not None and full > 0:
            break
    ratio = None
    if percent is not None and 0 <= percent <= _PERCENT:
        ratio = percent / _PERCENT
    elif full is not None and now is not None and now >= 0 and full > 0:
        ratio = min(1.0, now / full)
    return PowerSupply(
        kind="battery",
        status=kernel_word(folder / "status").lower(),
        charge_ratio=ratio,
        capacity=full if full is not None and full > 0 else None,
    )
