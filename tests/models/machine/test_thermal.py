"""Promises of `smallhold.models.machine.thermal`: this file holds tests of reading sensors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.kernel_tree import KernelTree

from smallhold.models.machine.thermal import (
    ThermalState,
    parse_celsius,
    parse_firmware_throttling,
    read_thermal_state,
)

THERMAL = "sys/class/thermal"


def test_the_hottest_sensor_of_the_processor_is_told(kernel: KernelTree) -> None:
    kernel.write_all(f"{THERMAL}/thermal_zone0", type="acpitz", temp="45000")
    kernel.write_all(f"{THERMAL}/thermal_zone1", type="x86_pkg_temp", temp="71500")
    kernel.write_all("sys/class/hwmon/hwmon0", name="coretemp", temp2_input="73000")
    kernel.write_all("sys/class/hwmon/hwmon1", name="nvme", temp1_input="90000")
    assert read_thermal_state(kernel.sys).hottest_celsius == 73.0


def test_a_hot_battery_or_radio_says_nothing_of_the_processor(kernel: KernelTree) -> None:
    kernel.write_all(f"{THERMAL}/thermal_zone0", type="iwlwifi_1", temp="88000")
    kernel.write_all(f"{THERMAL}/thermal_zone1", type="battery", temp="50000")
    assert read_thermal_state(kernel.sys) == ThermalState()


def test_a_broken_sensor_is_left_out(kernel: KernelTree) -> None:
    kernel.write_all(f"{THERMAL}/thermal_zone0", type="cpu-thermal", temp="-274000")
    kernel.write_all(f"{THERMAL}/thermal_zone1", type="cpu-thermal", temp="nonsense")
    assert read_thermal_state(kernel.sys).hottest_celsius is None


def test_cooling_that_slows_the_processor_is_throttling(kernel: KernelTree) -> None:
    kernel.write_all(f"{THERMAL}/cooling_device0", type="Processor", cur_state="0")
    kernel.write_all(f"{THERMAL}/cooling_device1", type="cpufreq-cpu4", cur_state="3")
    assert read_thermal_state(kernel.sys).is_throttled is True


def test_a_fan_that_runs_is_no_throttling(kernel: KernelTree) -> None:
    kernel.write_all(f"{THERMAL}/cooling_device0", type="pwm-fan", cur_state="4")
    kernel.write_all(f"{THERMAL}/cooling_device1", type="intel_powerclamp", cur_state="-1")
    assert read_thermal_state(kernel.sys).is_throttled is False


@pytest.mark.parametrize(("millicelsius", "is_throttled"), [(99_000, False), (100_000, True)])
def test_a_zone_above_its_hot_point_is_throttling(
    kernel: KernelTree, millicelsius: int, *, is_throttled: bool
) -> None:
    kernel.write_all(
        f"{THERMAL}/thermal_zone0",
        type="cpu-thermal", temp=str(millicelsius),
        trip_point_0_type="passive", trip_point_0_temp="70000",
        trip_point_1_type="hot", trip_point_1_temp="100000",
    )  # fmt: skip
    assert read_thermal_state(kernel.sys).is_throttled is is_throttled


def test_events_of_throttling_are_added_up_over_cores(kernel: KernelTree) -> None:
    for cpu, count in (("cpu0", 3), ("cpu1", 4)):
        folder = f"sys/devices/system/cpu/{cpu}/thermal_throttle"
        kernel.write_all(folder, core_throttle_count=str(count), package_throttle_count="10")
    assert read_thermal_state(kernel.sys).throttle_events == 27


@pytest.mark.parametrize(
    ("text", "is_throttled"),
    [
        ("0\n", False),
        ("50005\n", True),
        ("throttled=0x50000\n", False),
        ("0x2", True),
        ("", None),
        ("what", None),
    ],
)
def test_a_raspberry_pi_tells_of_now_and_of_before(text: str, *, is_throttled: bool | None) -> None:
    assert parse_firmware_throttling(text) is is_throttled


def test_a_raspberry_pi_s_firmware_is_asked(kernel: KernelTree) -> None:
    kernel.write("sys/devices/platform/soc/soc:firmware/get_throttled", "80008\n")
    assert read_thermal_state(kernel.sys).is_throttled is True


@given(st.text())
def test_any_text_is_a_sane_temperature_or_none(text: str) -> None:
    celsius = parse_celsius(text)
    assert celsius is None or -40 < celsius < 150
    parse_firmware_throttling(text)


@given(st.integers(-39_999, 149_999))
def test_a_temperature_is_read_in_thousandths(millicelsius: int) -> None:
    assert parse_celsius(f"{millicelsius}\n") == millicelsius / 1000
