"""How hard the machine may be driven just now: this file holds `read_power_state`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from smallhold.models.machine.power_supply import BatteryState, battery_state, read_power_supplies
from smallhold.models.machine.pressure import read_available_memory, read_memory_pressure
from smallhold.models.machine.thermal import ThermalState, read_thermal_state

_PERCENT: Final = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerState:
    """Battery, heat and memory pressure at one moment; `None` for what the system does not tell."""

    on_battery: bool | None = None
    """Whether the machine runs from its battery; `None` where there is neither battery nor mains
    to be seen, as in most servers and virtual machines."""
    battery_ratio: float | None = None
    """How full the battery is, 0 to 1."""
    hottest_celsius: float | None = None
    """The hottest sensor of processor and board."""
    is_throttled: bool | None = None
    """Whether heat or a weak power supply holds the processor back."""
    throttle_events: int | None = None
    """How often the processor was held back by heat since it was started."""
    memory_pressure_ratio: float | None = None
    """Share of the last ten seconds in which some task waited for memory, 0 to 1."""
    available_memory_bytes: int | None = None
    """Memory that could be taken now without swapping, within the control group's limit."""


def read_power_state(
    sys: Path = Path("/sys"), proc: Path = Path("/proc"), *, previous: PowerState | None = None
) -> PowerState:
    """Look at battery, heat and memory; takes about a millisecond and never fails.

    Args:
        sys: Where the kernel's `sysfs` is mounted. Where it is not, as on macOS and Windows,
            battery and memory are asked of the system in its own way.
        proc: Where the kernel's `procfs` is mounted.
        previous: An earlier state. Some processors only count how often they were held back; with
            two states it can be told whether that goes on.
    """
    has_kernel_files = sys.is_dir()
    battery = battery_state(read_power_supplies(sys)) if has_kernel_files else _system_battery()
    heat = read_thermal_state(sys)
    cgroup = sys / "fs" / "cgroup"
    available_bytes = read_available_memory(proc=proc, cgroup=cgroup)
    if available_bytes is None and not has_kernel_files:
        available_bytes = psutil.virtual_memory().available
    return PowerState(
        on_battery=battery.on_battery,
        battery_ratio=battery.battery_ratio,
        hottest_celsius=heat.hottest_celsius,
        is_throttled=_is_throttled(heat, previous=previous),
        throttle_events=heat.throttle_events,
        memory_pressure_ratio=read_memory_pressure(proc=proc, cgroup=cgroup),
        available_memory_bytes=available_bytes,
    )


def _is_throttled(heat: ThermalState, *, previous: PowerState | None) -> bool | None:
    if previous is None or previous.throttle_events is None or heat.throttle_events is None:
        return heat.is_throttled
    return heat.is_throttled is True or heat.throttle_events > previous.throttle_events


def _system_battery() -> BatteryState:
    # psutil has no such function on systems where it knows no way to ask.
    sensors_battery = getattr(psutil, "sensors_battery", None)
    battery = sensors_battery() if sensors_battery is not None else None
    if battery is None:
        return BatteryState()
    plugged: bool | None = battery.power_plugged
    percent = float(battery.percent)
    return BatteryState(
        on_battery=None if plugged is None else not plugged,
        battery_ratio=min(1.0, max(0.0, percent / _PERCENT)) if math.isfinite(percent) else None,
    )
