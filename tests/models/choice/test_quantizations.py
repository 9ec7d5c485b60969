"""Promises of `smallhold.models.choice.quantizations`:
this file holds tests of what quantizing costs.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.models.choice.quantizations import (
    ADDED_PERPLEXITY,
    BITS_PER_PARAMETER,
    CPU_ORDER,
    GPU_ORDER,
    approximate_bytes,
    is_lossy,
    preference,
)

KNOWN = st.sampled_from(sorted(ADDED_PERPLEXITY))


def test_every_known_quantization_has_a_loss_a_size_and_both_ranks() -> None:
    names = set(ADDED_PERPLEXITY)
    assert set(BITS_PER_PARAMETER) == set(CPU_ORDER) == set(GPU_ORDER) == names
    assert len(CPU_ORDER) == len(GPU_ORDER) == len(names)


@pytest.mark.parametrize(
    ("name", "lossy"),
    [
        ("Q2_K", True),
        ("Q3_K_M", True),
        ("Q4_0", False),
        ("q4_k_m", False),
        ("F16", False),
        ("IQ3_XXS", True),
        ("IQ4_XS", False),
        ("INT4", False),
        ("TQ2_0", True),
        ("mystery", False),
    ],
)
def test_below_four_bits_much_is_lost(name: str, *, lossy: bool) -> None:
    assert is_lossy(name) is lossy


def test_a_cpu_takes_four_bits_and_a_gpu_eight() -> None:
    assert min(ADDED_PERPLEXITY, key=lambda name: preference(name, on_gpu=False)) == "Q4_K_M"
    assert min(ADDED_PERPLEXITY, key=lambda name: preference(name, on_gpu=True)) == "Q8_0"


def test_the_catalog_s_default_comes_first_among_small_files_on_a_cpu() -> None:
    assert preference("Q4_1", on_gpu=False, is_default=True) < preference("Q4_K_M", on_gpu=False)
    assert preference("F16", on_gpu=False, is_default=True) > preference("Q4_K_M", on_gpu=False)
    assert preference("Q4_1", on_gpu=True, is_default=True) > preference("Q8_0", on_gpu=True)


@given(one=KNOWN, other=KNOWN, on_gpu=st.booleans())
def test_a_sound_file_comes_before_a_lossy_one_everywhere(
    one: str, other: str, *, on_gpu: bool
) -> None:
    if is_lossy(one) and not is_lossy(other):
        assert preference(other, on_gpu=on_gpu) < preference(one, on_gpu=on_gpu)


@pytest.mark.parametrize(
    ("count", "name", "size_bytes"),
    [
        # Sizes of the official files.
        (494_032_768, "Q4_K_M", 491_400_064),
        (1_543_714_304, "Q4_K_M", 1_117_320_768),
        (134_515_008, "Q4_1", 98_362_432),
    ],
)
def test_a_file_s_size_is_guessed_within_two_fifths(count: int, name: str, size_bytes: int) -> None:
    assert approximate_bytes(count, name) == pytest.approx(size_bytes, rel=0.4)


@given(st.integers(1, 10**10), st.text(max_size=12))
def test_any_name_has_a_size(count: int, name: str) -> None:
    assert count / 8 <= approximate_bytes(count, name) <= 4 * count
    is_lossy(name)
    assert preference(name, on_gpu=False) >= 0
