"""Promises of `smallhold.models.gguf.tensors`: this file holds tests of the tensor list."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from smallhold.exceptions import InvalidGGUFError
from smallhold.models.gguf.cursor import GGUFCursor
from smallhold.models.gguf.tensors import TensorInfo, check_layout, read_tensors

if TYPE_CHECKING:
    from tests.models.conftest import GGUFMaker


def cursor(data: bytes) -> GGUFCursor:
    return GGUFCursor(io.BytesIO(data), size_bytes=len(data), path="x.gguf")


def read(*tensors: bytes, alignment: int = 32) -> tuple[TensorInfo, ...]:
    return read_tensors(cursor(b"".join(tensors)), len(tensors), alignment=alignment)


def check(*tensors: bytes, data_bytes: int) -> None:
    check_layout(cursor(b""), read(*tensors), data_bytes=data_bytes)


def test_a_tensor_arrives_with_its_size(gguf: GGUFMaker) -> None:
    (tensor,) = read(gguf.tensor("w", (256, 2), kind=12, offset=64))
    assert (tensor.name, tensor.shape, tensor.type_name) == ("w", (256, 2), "Q4_K")
    assert (tensor.offset_bytes, tensor.size_bytes, tensor.element_count) == (64, 288, 512)


@pytest.mark.parametrize(
    ("shape", "kind", "offset", "words"),
    [
        ((1, 1, 1, 1, 1), 0, 0, "5 dimensions"),
        ((0,), 0, 0, "impossible shape"),
        ((2**63,), 0, 0, "impossible shape"),
        ((2**40, 2**40), 0, 0, "impossible shape"),
        ((2**64 - 1, 2**64 - 1, 2**64 - 1, 2**64 - 1), 0, 0, "impossible shape"),
        ((1,), 4, 0, "unknown type 4"),
        ((1,), 2**32 - 1, 0, "unknown type"),
        ((255,), 12, 0, "no whole blocks of Q4_K"),
        ((1,), 0, 33, "no multiple of 32"),
    ],
)
def test_an_impossible_tensor_is_refused(
    gguf: GGUFMaker, shape: tuple[int, ...], kind: int, offset: int, words: str
) -> None:
    with pytest.raises(InvalidGGUFError, match=words):
        read(gguf.tensor("w", shape, kind=kind, offset=offset))


@pytest.mark.parametrize("name", [b"x" * 64, b"\xff"], ids=["too long", "no text"])
def test_an_impossible_name_is_refused(gguf: GGUFMaker, name: bytes) -> None:
    with pytest.raises(InvalidGGUFError, match="name"):
        read(gguf.tensor(name, (1,)))


def test_two_tensors_of_one_name_are_refused(gguf: GGUFMaker) -> None:
    with pytest.raises(InvalidGGUFError, match="same name"):
        read(gguf.tensor("w", (8,)), gguf.tensor("w", (8,), offset=32))


def test_tensors_side_by_side_in_any_order_are_sound(gguf: GGUFMaker) -> None:
    check(gguf.tensor("b", (8,), offset=32), gguf.tensor("a", (8,)), data_bytes=64)


def test_overlapping_tensors_are_refused(gguf: GGUFMaker) -> None:
    with pytest.raises(InvalidGGUFError, match="'b' overlaps"):
        check(gguf.tensor("a", (9,)), gguf.tensor("b", (1,), offset=32), data_bytes=999)


def test_a_tensor_that_leaves_the_file_is_refused(gguf: GGUFMaker) -> None:
    with pytest.raises(InvalidGGUFError, match=r"ends at byte 32 of the data.*31 bytes"):
        check(gguf.tensor("a", (8,)), data_bytes=31)


def test_an_offset_near_the_end_of_64_bits_does_not_wrap_around(gguf: GGUFMaker) -> None:
    with pytest.raises(InvalidGGUFError, match="ends at byte"):
        check(gguf.tensor("a", (2**20,), offset=2**64 - 32), data_bytes=2**22)
