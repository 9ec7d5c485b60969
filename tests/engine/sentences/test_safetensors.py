"""Promises of `smallhold.engine.sentences.safetensors`: this file holds tests of headers."""

from __future__ import annotations

import json
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.sentences.tiny_bert import write_safetensors

from smallhold.engine.sentences.safetensors import HEADER_MAX_BYTES, read_tensors
from smallhold.exceptions import InvalidWeightsError

if TYPE_CHECKING:
    from pathlib import Path

GOOD: dict[str, Any] = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}


def write(path: Path, header: object, *, data: bytes = bytes(8)) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def test_tensors_come_back_as_they_were_written(tmp_path: Path) -> None:
    tensors = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.arange(4, dtype=np.int64),
    }
    found = read_tensors(write_safetensors(tmp_path / "x", tensors))
    assert sorted(found) == ["a", "b"]
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert np.array_equal(found[name], tensor)


def test_tensors_cannot_be_written_to(tmp_path: Path) -> None:
    found = read_tensors(write(tmp_path / "x", GOOD))
    with pytest.raises(ValueError, match="read-only"):
        found["a"][0] = 1


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"dtype": "F64"}, "unknown kind"),
        ({"dtype": None}, "not described"),
        ({"shape": [3]}, "shape does not explain"),
        ({"shape": [-2]}, "not described"),
        ({"shape": [0]}, "impossible shape"),
        ({"shape": [1] * 8 + [2]}, "impossible shape"),
        ({"shape": [2**62, 4]}, "shape does not explain"),
        ({"shape": [True, 2]}, "not described"),
        ({"data_offsets": [0]}, "unpack"),
        ({"data_offsets": [8, 0]}, "shape does not explain"),
        ({"data_offsets": [4, 12]}, "begins at byte 4"),
        ({"data_offsets": [0.0, 8.0]}, "not described"),
    ],
)
def test_a_tensor_that_does_not_fit_is_refused(
    change: dict[str, object], problem: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidWeightsError, match=problem):
        read_tensors(write(tmp_path / "x", {"a": GOOD["a"] | change}))


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ([], "not a JSON object"),
        (b"{", "Expecting"),
        (b"[" * 100_000, "recursion"),
        (b'{"a": 1, "a": 2}', "twice"),
        ({"a": 1}, "not described"),
        ({**GOOD, "b": GOOD["a"]}, "begins at byte 0"),
        ({}, "tensors end at byte"),
    ],
)
def test_a_header_that_makes_no_sense_is_refused(
    header: object, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidWeightsError, match=problem):
        read_tensors(write(tmp_path / "x", header))


@pytest.mark.parametrize("length", [9, HEADER_MAX_BYTES + 1, 2**63, 2**64 - 1])
def test_a_header_longer_than_the_file_is_refused_unread(length: int, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(struct.pack("<Q", length) + b"{}")
    with pytest.raises(InvalidWeightsError, match="header claims"):
        read_tensors(path)


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "x", GOOD)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(InvalidWeightsError):
            read_tensors(path)


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(InvalidWeightsError, match="none"):
        read_tensors(tmp_path / "none")


def test_a_name_of_megabytes_does_not_fill_the_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidWeightsError) as caught:
        read_tensors(write(tmp_path / "x", {"n" * 1_000_000: 1}))
    assert len(str(caught.value)) < 1000


@given(content=st.binary(max_size=200))
def test_any_bytes_are_tensors_or_the_error(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    path.write_bytes(content)
    with suppress(InvalidWeightsError):
        assert all(tensor.size for tensor in read_tensors(path).values())
