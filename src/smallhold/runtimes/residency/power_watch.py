"""Battery, heat and pressure from one look to the next: this file holds what remembers the last."""

from __future__ import annotations

from dataclasses import dataclass

from smallhold.models.machine.power import PowerState, read_power_state


@dataclass(slots=True)
class PowerWatch:
    """Looks at the machine's power state; whether it is throttled shows between two looks."""

    _previous: PowerState | None = None

    def __call__(self) -> PowerState:
        """Look now; takes some milliseconds and never fails."""
        self._previous = read_power_state(previous=self._previous)
        return self._previous
