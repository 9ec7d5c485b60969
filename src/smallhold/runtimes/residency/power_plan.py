"""Going easy on the machine: this file holds what battery, heat and memory pressure lead to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from smallhold.models.machine.power import PowerState

HOT_CELSIUS: Final = 85.0
"""Ten degrees below where processors begin to throttle themselves. Source: Intel's and AMD's data
sheets of notebook processors, T_junction 95 to 105."""
COOL_CELSIUS: Final = 78.0
"""A machine that was hot counts as hot until here, or threads would change every few seconds."""
LOW_BATTERY_RATIO: Final = 0.2
"""Where desktops begin to warn."""
PRESSURE_RATIO: Final = 0.1
"""Share of the last ten seconds in which some program waited. Source: systemd-oomd ends programs at
0.6 over 30 s; this is well before."""
BATTERY_KEEP_ALIVE_RATIO: Final = 0.2
"""One minute instead of five."""


class Strain(StrEnum):
    """What a machine suffers from."""

    BATTERY = "battery"
    """It runs from its battery."""
    LOW_BATTERY = "low_battery"
    HEAT = "heat"
    THROTTLED = "throttled"
    MEMORY = "memory"
    """Programs wait for memory."""


_SLOWING: Final = frozenset({Strain.BATTERY, Strain.HEAT, Strain.THROTTLED})
_SEVERE: Final = frozenset({Strain.LOW_BATTERY, Strain.THROTTLED, Strain.MEMORY})


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerPlan:
    """How models are run just now."""

    threads: int | None = None
    """Threads for a pass; `None` leaves it to each model's settings."""
    keep_alive_ratio: float = 1.0
    """What keep-alive times are multiplied with."""
    strains: frozenset[Strain] = frozenset()

    @property
    def prefers_smaller(self) -> bool:
        """Whether agents should be served by their smaller model."""
        return bool(self.strains & _SEVERE)


UNSTRAINED: Final = PowerPlan()


def power_plan(state: PowerState, *, cores: int, before: PowerPlan = UNSTRAINED) -> PowerPlan:
    """Decide how models are run.

    Half the cores draw well under half the power of all and give more than half of the speed, since
    tokens wait for memory rather than for arithmetic.

    Args:
        state: What the machine tells; what it does not tell strains nothing.
        cores: Those that this process may use, at least 1.
        before: The plan that holds until now.
    """
    strains = frozenset(_strains(state, was_hot=Strain.HEAT in before.strains))
    if Strain.MEMORY in strains:
        keep_alive_ratio = 0.0
    elif Strain.BATTERY in strains:
        keep_alive_ratio = BATTERY_KEEP_ALIVE_RATIO
    else:
        keep_alive_ratio = 1.0
    threads = None
    if strains & _SLOWING:
        threads = max(1, cores // 4 if Strain.LOW_BATTERY in strains else cores // 2)
    return PowerPlan(threads=threads, keep_alive_ratio=keep_alive_ratio, strains=strains)


def _strains(state: PowerState, *, was_hot: bool) -> set[Strain]:
    is_low = state.battery_ratio is not None and state.battery_ratio < LOW_BATTERY_RATIO
    limit_celsius = COOL_CELSIUS if was_hot else HOT_CELSIUS
    found = {
        Strain.BATTERY: state.on_battery is True,
        Strain.LOW_BATTERY: state.on_battery is True and is_low,
        Strain.HEAT: state.hottest_celsius is not None and state.hottest_celsius >= limit_celsius,
        Strain.THROTTLED: state.is_throttled is True,
        Strain.MEMORY: (state.memory_pressure_ratio or 0.0) >= PRESSURE_RATIO,
    }
    return {strain for strain, is_there in found.items() if is_there}
