from __future__ import annotations

from smallhold.models.machine.power import PowerState
from smallhold.runtimes.residency.power_watch import PowerWatch


def test_this_machine_can_be_looked_at_again_and_again() -> None:
    watch = PowerWatch()
    for _ in range(2):
        state = watch()
        assert isinstance(state, PowerState)
        assert state.battery_ratio is None or 0 <= state.battery_ratio <= 1
