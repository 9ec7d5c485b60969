from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.runtimes.residency.scripted_models import GB, MB, machine

from smallhold.runtimes.residency.sizing import (
    MAX_RESERVE_BYTES,
    MIN_RESERVE_BYTES,
    expected_bytes,
    memory_budget,
    reserve_bytes,
)
from smallhold.runtimes.residency.specs import Footprint, ProcessMemory


def test_the_estimate_holds_until_the_model_is_known() -> None:
    footprint = Footprint(resident_bytes=500, cache_bytes=100)
    assert expected_bytes(footprint, peak_rss_bytes=300, is_known=False) == 600
    assert expected_bytes(footprint, peak_rss_bytes=300, is_known=True) == 400


def test_what_was_measured_outweighs_a_low_estimate() -> None:
    footprint = Footprint(resident_bytes=500, cache_bytes=100)
    assert expected_bytes(footprint, peak_rss_bytes=700, is_known=False) == 700
    assert expected_bytes(footprint, peak_rss_bytes=700, is_known=True) == 700


@given(
    resident=st.integers(0, 1000),
    cache=st.integers(0, 1000),
    peak=st.integers(0, 3000),
    is_known=st.booleans(),
)
def test_a_model_is_never_expected_to_take_less_than_it_did(
    resident: int, cache: int, peak: int, *, is_known: bool
) -> None:
    footprint = Footprint(resident_bytes=resident, cache_bytes=cache)
    assert expected_bytes(footprint, peak_rss_bytes=peak, is_known=is_known) >= peak


def test_the_budget_is_what_is_available_less_the_reserve() -> None:
    hardware = machine(available_bytes=4 * GB, total_bytes=8 * GB)
    assert memory_budget(hardware, [], max_bytes=None) == 4 * GB - 400 * MB
    assert memory_budget(hardware, [], max_bytes=GB) == GB


def test_private_pages_of_loaded_models_are_part_of_the_budget_but_not_mapped_ones() -> None:
    hardware = machine(available_bytes=4 * GB, total_bytes=8 * GB)
    memory = ProcessMemory(rss_bytes=2 * GB, private_bytes=GB)
    assert memory_budget(hardware, [memory], max_bytes=None) == 5 * GB - 400 * MB


def test_the_reserve_has_bounds() -> None:
    assert reserve_bytes(machine(total_bytes=500 * MB)) == MIN_RESERVE_BYTES
    assert reserve_bytes(machine(total_bytes=500 * GB)) == MAX_RESERVE_BYTES
