"""Promises of `smallhold.models.machine.power`:
this file holds tests of how hard a machine may work.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.kernel_tree import KernelTree

from smallhold.models.machine.power import PowerState, read_power_state


def test_a_hot_notebook_on_its_battery_tells_all_of_it(kernel: KernelTree) -> None:
    supplies, thermal = "sys/class/power_supply", "sys/class/thermal"
    kernel.write_all(f"{supplies}/BAT0", type="Battery", status="Discharging", capacity="15")
    kernel.write_all(f"{supplies}/AC", type="Mains", online="0")
    kernel.write_all(f"{thermal}/thermal_zone0", type="x86_pkg_temp", temp="97000")
    kernel.write_all(f"{thermal}/cooling_device0", type="Processor", cur_state="2")
    kernel.write("proc/pressure/memory", "some avg10=12.00 avg60=0 avg300=0 total=9\n")
    kernel.write("proc/meminfo", "MemAvailable: 1000 kB\n")
    assert read_power_state(kernel.sys, kernel.proc) == PowerState(
        on_battery=True,
        battery_ratio=0.15,
        hottest_celsius=97.0,
        is_throttled=True,
        memory_pressure_ratio=0.12,
        available_memory_bytes=1_024_000,
    )


def test_a_kernel_that_tells_nothing_is_no_error(kernel: KernelTree) -> None:
    kernel.sys.mkdir(parents=True)
    assert read_power_state(kernel.sys, kernel.proc) == PowerState()


def test_a_count_that_grows_between_two_looks_is_throttling(kernel: KernelTree) -> None:
    count = "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count"
    kernel.write(count, "7\n")
    first = read_power_state(kernel.sys, kernel.proc)
    still = read_power_state(kernel.sys, kernel.proc, previous=first)
    kernel.write(count, "8\n")
    later = read_power_state(kernel.sys, kernel.proc, previous=first)
    assert (first.is_throttled, still.is_throttled, later.is_throttled) == (None, False, True)


def test_a_system_without_kernel_files_is_asked_in_its_own_way(tmp_path: Path) -> None:
    state = read_power_state(tmp_path / "no-sys", tmp_path / "no-proc")
    assert state.available_memory_bytes is not None
    assert state.available_memory_bytes > 0


def test_this_very_machine_can_be_looked_at() -> None:
    state = read_power_state()
    assert state.battery_ratio is None or 0 <= state.battery_ratio <= 1
    assert state.available_memory_bytes is None or state.available_memory_bytes > 0


FILES = st.sampled_from([
    "sys/class/power_supply/A/type", "sys/class/power_supply/A/status",
    "sys/class/power_supply/A/capacity", "sys/class/power_supply/A/energy_full",
    "sys/class/power_supply/A/online", "sys/class/thermal/thermal_zone0/temp",
    "sys/class/thermal/thermal_zone0/type", "sys/class/thermal/cooling_device0/type",
    "sys/class/thermal/cooling_device0/cur_state", "sys/class/hwmon/hwmon0/name",
    "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count",
    "proc/pressure/memory", "proc/meminfo", "proc/self/cgroup",
])  # fmt: skip
TEXTS = st.binary(max_size=60) | st.sampled_from([b"Battery", b"100", b"-5", b"0::/", b"coretemp"])


@given(files=st.dictionaries(FILES, TEXTS))
def test_strange_files_are_never_an_error(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    kernel = KernelTree(tmp_path_factory.mktemp("kernel"))
    for path, text in files.items():
        kernel.write(path, text)
    state = read_power_state(kernel.sys, kernel.proc)
    assert state.battery_ratio is None or 0 <= state.battery_ratio <= 1
    assert state.hottest_celsius is None or -40 < state.hottest_celsius < 150
    assert state.memory_pressure_ratio is None or 0 <= state.memory_pressure_ratio <= 1
