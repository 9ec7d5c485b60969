"""Where the tensors of a GGUF file lie: this file holds the tensor list's reader."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from smallhold.models.gguf.cursor import U32, U64, GGUFCursor
from smallhold.models.gguf.ggml_types import GGML_TYPES, tensor_bytes

MAX_TENSORS: Final = 16_384
"""The most tensors; the largest open models have about 3,000."""
MAX_NAME_BYTES: Final = 63
"""Longest name of a tensor. Source: `GGML_MAX_NAME` in `ggml.h`, less its final zero."""
MAX_DIMENSIONS: Final = 4
"""Source: `GGML_MAX_DIMS` in `ggml.h`."""
MIN_TENSOR_BYTES: Final = 8 + 4 + 4 + 8
"""Length of the name, number of dimensions, type and offset."""

_MAX_ELEMENTS: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorInfo:
    """Where one tensor lies."""

    name: str
    shape: tuple[int, ...]
    """Elements along each dimension, innermost first."""
    type_name: str
    """ggml type such as `Q4_K`."""
    offset_bytes: int
    """From the beginning of the data section."""
    size_bytes: int

    @property
    def element_count(self) -> int:
        """Number of weights."""
        return math.prod(self.shape)


def read_tensors(cursor: GGUFCursor, count: int, *, alignment: int) -> tuple[TensorInfo, ...]:
    """Read the list of tensors.

    Raises:
        InvalidGGUFError: A tensor's name, shape, type or offset is impossible.
    """
    tensors = tuple(_read_tensor(cursor, alignment=alignment) for _ in range(count))
    if len({tensor.name for tensor in tensors}) < count:
        cursor.fail("two tensors have the same name")
    return tensors


def _read_tensor(cursor: GGUFCursor, *, alignment: int) -> TensorInfo:
    name = _tensor_name(cursor)
    what = f"the tensor {name!r}"
    dimensions = cursor.unsigned(U32, what=what)
    if dimensions > MAX_DIMENSIONS:
        cursor.fail(f"{what} has {dimensions:,} dimensions, allowed are {MAX_DIMENSIONS}")
    shape = tuple(cursor.unsigned(U64, what=what) for _ in range(dimensions))
    if not 0 < math.prod(shape) <= _MAX_ELEMENTS:
        cursor.fail(f"{what} has the impossible shape {shape}")
    number = cursor.unsigned(U32, what=what)
    kind = GGML_TYPES.get(number)
    if kind is None:
        cursor.fail(f"{what} has the unknown type {number}")
    size_bytes = tensor_bytes(kind, shape)
    if size_bytes is None:
        cursor.fail(f"{what} has rows that are no whole blocks of {kind.name}")
    offset = cursor.unsigned(U64, what=what)
    if offset % alignment:
        cursor.fail(f"{what} begins at {offset:,}, which is no multiple of {alignment}")
    return TensorInfo(
        name=name, shape=shape, type_name=kind.name, offset_bytes=offset, size_bytes=size_bytes
    )


def _tensor_name(cursor: GGUFCursor) -> str:
    length = cursor.unsigned(U64, what="the length of a tensor's name")
    if length > MAX_NAME_BYTES:
        cursor.fail(f"a tensor's name claims {length:,} bytes, allowed are {MAX_NAME_BYTES}")
    try:
        return cursor.take(length, what="a tensor's name").decode()
    except UnicodeDecodeError:
        cursor.fail("a tensor's name is not UTF-8 text")


def check_layout(cursor: GGUFCursor, tensors: tuple[TensorInfo, ...], *, data_bytes: int) -> None:
    """Check that tensors neither overlap nor leave the data section.

    Raises:
        InvalidGGUFError: One of them does.
    """
    end = 0
    for tensor in sorted(tensors, key=lambda item: item.offset_bytes):
        if tensor.offset_bytes < end:
            cursor.fail(f"the tensor {tensor.name!r} overlaps the one before it")
        end = tensor.offset_bytes + tensor.size_bytes
        if end > data_bytes:
            cursor.fail(
                f"the tensor {tensor.name!r} ends at byte {end:,} of the data, "
                f"but the file has {max(data_bytes, 0):,} bytes of data"
            )
