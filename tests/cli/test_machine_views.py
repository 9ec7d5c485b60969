"""Promises of `smallhold.cli.machine_views`: this file holds tests of showing the machine."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.cli.machine_views import hardware_json, hardware_rows, power_json, power_rows
from smallhold.models import Accelerator, AcceleratorKind, Hardware, PowerState

GPU = Accelerator(
    kind=AcceleratorKind.CUDA,
    name="A GPU",
    memory_total_bytes=24_000_000_000,
    memory_free_bytes=20_000_000_000,
    driver="580.65",
)
NPU = Accelerator(kind=AcceleratorKind.NPU, name="An NPU")
MACHINE = Hardware(
    system="Linux", machine="x86_64", cpu_model="Some CPU", cpu_flags=frozenset({"fma", "avx2"}),
    physical_cores=6, logical_cores=8, usable_cores=8, efficiency_cores=4,
    total_memory_bytes=8_000_000_000, available_memory_bytes=4_000_000_000,
    accelerators=(GPU, NPU), engine_backends=frozenset({AcceleratorKind.CUDA}),
)  # fmt: skip


def test_people_read_cores_by_kind_and_memory() -> None:
    rows = dict(hardware_rows(MACHINE))
    assert rows["cores"] == "8 usable of 8, 2 fast and 4 efficient"
    assert rows["memory"] == "4.0 GB free of 8.0 GB"
    assert rows["instruction sets"] == "avx2 fma"


def test_people_read_gpus_and_npus() -> None:
    rows = dict(hardware_rows(MACHINE))
    assert rows["GPU"] == "A GPU (cuda), 20.0 GB free of 24.0 GB, driver 580.65"
    assert rows["NPU"] == "An NPU"


def test_threads_that_share_a_core_are_told() -> None:
    rows = dict(hardware_rows(replace(MACHINE, efficiency_cores=0)))
    assert rows["cores"] == "8 usable of 8, 6 physical"


def test_programs_read_the_machine() -> None:
    document = json.loads(json.dumps(hardware_json(MACHINE)))
    assert document["cpu_flags"] == ["avx2", "fma"]
    assert document["compute_cores"] == 2
    assert document["gpu_memory_bytes"] == 20_000_000_000
    assert document["accelerators"][0]["kind"] == "cuda"


@pytest.mark.parametrize(
    ("state", "rows"),
    [
        (PowerState(), {}),
        (
            PowerState(on_battery=True, battery_ratio=0.63),
            {"power": "on battery, 63% full"},
        ),
        (PowerState(on_battery=False), {"power": "on mains"}),
        (
            PowerState(hottest_celsius=71.4, is_throttled=True),
            {"heat": "71 °C, throttled"},
        ),
        (PowerState(is_throttled=False), {"heat": "not throttled"}),
        (
            PowerState(memory_pressure_ratio=0.125),
            {"memory pressure": "12% of the last 10 s"},
        ),
    ],
)
def test_people_read_what_the_system_tells_and_nothing_else(
    state: PowerState, rows: dict[str, str]
) -> None:
    assert dict(power_rows(state)) == rows


@given(st.builds(PowerState))
def test_any_state_is_json(state: PowerState) -> None:
    assert set(json.loads(json.dumps(power_json(state)))) == {
        "on_battery", "battery_ratio", "hottest_celsius", "is_throttled", "throttle_events",
        "memory_pressure_ratio", "available_memory_bytes",
    }  # fmt: skip
