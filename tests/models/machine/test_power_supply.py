"""Promises of `smallhold.models.machine.power_supply`:
this file holds tests of reading batteries.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.kernel_tree import KernelTree

from smallhold.models.machine.power_supply import (
    BatteryState,
    PowerSupply,
    battery_state,
    read_power_supplies,
)

SUPPLIES = "sys/class/power_supply"


def state(kernel: KernelTree) -> BatteryState:
    return battery_state(read_power_supplies(kernel.sys))


def test_a_notebook_without_its_cable_runs_from_the_battery(kernel: KernelTree) -> None:
    kernel.write_all(f"{SUPPLIES}/AC", type="Mains", online="0")
    kernel.write_all(f"{SUPPLIES}/BAT0", type="Battery", status="Discharging", capacity="63")
    assert state(kernel) == BatteryState(on_battery=True, battery_ratio=0.63)


def test_a_notebook_on_its_cable_does_not(kernel: KernelTree) -> None:
    kernel.write_all(f"{SUPPLIES}/AC", type="Mains", online="1")
    kernel.write_all(f"{SUPPLIES}/BAT0", type="Battery", status="Not charging", capacity="80")
    assert state(kernel) == BatteryState(on_battery=False, battery_ratio=0.8)


def test_a_cable_that_only_slows_the_drain_is_a_cable(kernel: KernelTree) -> None:
    kernel.write_all(f"{SUPPLIES}/usbc", type="USB_PD", online="1")
    kernel.write_all(f"{SUPPLIES}/BAT0", type="Battery", status="Discharging", capacity="30")
    assert state(kernel).on_battery is False


def test_the_battery_of_a_mouse_is_not_the_machine_s(kernel: KernelTree) -> None:
    kernel.write_all(
        f"{SUPPLIES}/hidpp_battery_0",
        type="Battery", scope="Device", status="Discharging", capacity="5",
    )  # fmt: skip
    assert state(kernel) == BatteryState()


def test_a_server_tells_nothing(kernel: KernelTree) -> None:
    assert state(kernel) == BatteryState()


def test_a_desktop_s_adapter_alone_is_mains(kernel: KernelTree) -> None:
    kernel.write_all(f"{SUPPLIES}/AC", type="Mains", online="1")
    assert state(kernel) == BatteryState(on_battery=False)


def test_a_slot_without_a_battery_counts_for_nothing(kernel: KernelTree) -> None:
    kernel.write_all(f"{SUPPLIES}/AC", type="Mains", online="1")
    kernel.write_all(f"{SUPPLIES}/BAT1", type="Battery", present="0", capacity="0")
    assert state(kernel).battery_ratio is None


def test_a_large_battery_weighs_more_than_a_small_one(kernel: KernelTree) -> None:
    for name, full, percent in (("BAT0", 30_000_000, 100), ("BAT1", 10_000_000, 0)):
        kernel.write_all(
            f"{SUPPLIES}/{name}",
            type="Battery", status="Discharging", capacity=str(percent), energy_full=str(full),
        )  # fmt: skip
    assert state(kernel) == BatteryState(on_battery=True, battery_ratio=0.75)


def test_charge_serves_where_no_percentage_is_told(kernel: KernelTree) -> None:
    kernel.write_all(
        f"{SUPPLIES}/axp20x",
        type="Battery", status="Full", charge_full="4000000", charge_now="3000000",
    )  # fmt: skip
    assert state(kernel) == BatteryState(on_battery=False, battery_ratio=0.75)


@pytest.mark.parametrize("status", ["", "Unknown", "\udcff"])
def test_a_battery_of_unknown_doings_leaves_it_open(kernel: KernelTree, status: str) -> None:
    kernel.write(f"{SUPPLIES}/BAT0/type", "Battery\n")
    kernel.write(f"{SUPPLIES}/BAT0/status", status.encode("utf-8", "surrogateescape"))
    assert state(kernel).on_battery is None


SUPPLY = st.builds(
    PowerSupply,
    kind=st.sampled_from(["battery", "mains", "usb", "ups", "wireless"]),
    is_online=st.none() | st.booleans(),
    status=st.sampled_from(["charging", "discharging", "not charging", "full", "unknown", ""]),
    charge_ratio=st.none() | st.floats(0, 1),
    capacity=st.none() | st.integers(1, 10**9),
)


@given(st.lists(SUPPLY, max_size=5))
def test_a_charge_is_a_share_and_current_from_outside_settles_it(
    supplies: list[PowerSupply],
) -> None:
    found = battery_state(supplies)
    assert found.battery_ratio is None or 0 <= found.battery_ratio <= 1
    if any(one.is_online for one in supplies if one.kind != "battery"):
        assert found.on_battery is False
