"""Promises of `smallhold.models.gguf.ggml_types`: this file holds tests of tensor sizes."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.models.gguf.ggml_types import GGML_TYPES, tensor_bytes

Q4_K = GGML_TYPES[12]


def test_a_row_of_one_block_takes_one_block() -> None:
    assert tensor_bytes(Q4_K, (256,)) == 144


def test_a_matrix_takes_its_rows_together() -> None:
    assert tensor_bytes(Q4_K, (512, 3)) == 2 * 3 * 144


def test_rows_of_broken_blocks_have_no_size() -> None:
    assert tensor_bytes(Q4_K, (255, 256)) is None


def test_a_scalar_is_one_element() -> None:
    assert tensor_bytes(GGML_TYPES[0], ()) == 4


@pytest.mark.parametrize("number", [4, 5, 31, 32, 33, 36, 37, 38, 99])
def test_retired_and_unknown_types_have_no_entry(number: int) -> None:
    assert number not in GGML_TYPES


@given(
    st.sampled_from(sorted(GGML_TYPES)),
    st.lists(st.integers(min_value=1, max_value=4096), min_size=1, max_size=4),
)
def test_a_size_is_whole_blocks_or_nothing(number: int, shape: list[int]) -> None:
    kind = GGML_TYPES[number]
    size = tensor_bytes(kind, shape)
    if shape[0] % kind.block_elements:
        assert size is None
    else:
        assert size is not None
        assert size * kind.block_elements == math.prod(shape) * kind.block_bytes
