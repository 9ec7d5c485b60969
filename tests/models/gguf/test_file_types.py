"""Promises of `smallhold.models.gguf.file_types`: this file holds tests of the quantizations."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tiny_models import write_llama

from smallhold.exceptions import UnknownQuantizationError
from smallhold.models.gguf.file_types import (
    WRITABLE,
    bits_per_weight,
    file_type_named,
    is_quantized,
)
from smallhold.models.gguf.header import GGUFHeader, read_gguf_header


@pytest.mark.parametrize(
    ("name", "number", "bits"),
    [("Q4_K_M", 15, 4.5), ("q8_0", 7, 8.5), (" Q2_K ", 10, 2.625), ("f16", 1, 16.0)],
)
def test_a_quantization_is_found_by_its_name_in_any_case(
    name: str, number: int, bits: float
) -> None:
    found = file_type_named(name)
    assert (found.number, found.bits_per_weight) == (number, bits)


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UnknownQuantizationError, match="Q4_K_M") as refused:
        file_type_named("Q9_K")
    assert set(refused.value.known) == set(WRITABLE)


@given(st.text(max_size=20).filter(lambda text: text.strip().upper() not in WRITABLE))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(UnknownQuantizationError) as refused:
        file_type_named(text)
    assert refused.value.quantization == text


def test_numbers_are_never_shared() -> None:
    assert len({kind.number for kind in WRITABLE.values()}) == len(WRITABLE)


def test_floats_are_not_quantized_and_blocks_are(tmp_path: Path, smollm2_path: Path) -> None:
    whole = read_gguf_header(write_llama(tmp_path / "m.gguf"))
    assert not is_quantized(whole)
    assert bits_per_weight(whole) == 32
    quantized = read_gguf_header(smollm2_path)
    assert is_quantized(quantized)
    assert 5 < bits_per_weight(quantized) < 6


def test_a_file_without_weights_spends_no_bits() -> None:
    empty = GGUFHeader(
        version=3, metadata={}, array_lengths={}, omitted_keys=(), tensors=(),
        data_offset_bytes=0, file_bytes=0,
    )  # fmt: skip
    assert bits_per_weight(empty) == 0
    assert not is_quantized(empty)
