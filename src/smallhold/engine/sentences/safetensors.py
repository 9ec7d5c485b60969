"""Weights out of a file that may be hostile: this file holds the bounds-checked reader.

The header is checked against the file's real size before anything is made of it. The bytes
themselves are mapped, so that a table of embeddings costs only the rows that are looked up.
"""

from __future__ import annotations

import json
import math
import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeGuard, cast

import numpy as np
import numpy.typing as npt

from smallhold.exceptions import InvalidWeightsError

HEADER_MAX_BYTES: Final = 4 << 20
"""A longer header is refused unread; a BERT of 6 layers needs 10 kB."""

_LENGTH: Final = struct.Struct("<Q")
_METADATA: Final = "__metadata__"
_DTYPES: Final[Mapping[str, str]] = {"F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4"}
_RANK_MAX: Final = 8
_PROBLEM_MAX_CHARS: Final = 300
"""Names in the file may be megabytes long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorPlace:
    """Where a tensor lies in the file."""

    dtype: str
    """In numpy's terms, little-endian."""
    shape: tuple[int, ...]
    offset_bytes: int
    """From the beginning of the file."""


def read_tensors(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Map a safetensors file.

    Returns:
        Read-only arrays by name, in the file's own number formats.

    Raises:
        InvalidWeightsError: The file is truncated, hostile or not safetensors at all.
    """
    try:
        with path.open("rb") as file:
            places = read_places(file.read(_LENGTH.size + HEADER_MAX_BYTES), path=path)
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        problem = f"it cannot be read ({error.strerror})"
        raise InvalidWeightsError(path=str(path), problem=problem) from error
    return {
        name: np.frombuffer(
            data, dtype=place.dtype, count=math.prod(place.shape), offset=place.offset_bytes
        ).reshape(place.shape)
        for name, place in places.items()
    }


def read_places(head: bytes, *, path: Path) -> dict[str, TensorPlace]:
    """Read the header.

    Args:
        head: The beginning of the file, at least its header.
        path: The file, whose real size the tensors must fill exactly.

    Raises:
        InvalidWeightsError: The header does not describe this file.

    Source:
        The safetensors format: 8 bytes of length, a JSON object, the tensors without holes.
    """
    size_bytes = path.stat().st_size
    if len(head) < _LENGTH.size:
        raise InvalidWeightsError(path=str(path), problem="it is too short to hold a header")
    (length,) = _LENGTH.unpack_from(head)
    start = _LENGTH.size + length
    if length > HEADER_MAX_BYTES or start > min(size_bytes, len(head)):
        problem = f"its header claims {length:,} bytes, the file has {size_bytes:,}"
        raise InvalidWeightsError(path=str(path), problem=problem)
    try:
        return _places(head[_LENGTH.size : start], data_start=start, size_bytes=size_bytes)
    except (ValueError, RecursionError) as error:
        problem = str(error).partition("\n")[0][:_PROBLEM_MAX_CHARS]
        raise InvalidWeightsError(path=str(path), problem=problem) from error


def _places(header: bytes, *, data_start: int, size_bytes: int) -> dict[str, TensorPlace]:
    document: Any = json.loads(header, object_pairs_hook=_unique)
    if not isinstance(document, dict):
        msg = "its header is not a JSON object"
        raise ValueError(msg)  # noqa: TRY004 - a fault of the data, not of the caller's types
    records = cast("dict[str, object]", document)
    ends: list[tuple[int, int, str]] = []
    places: dict[str, TensorPlace] = {}
    for name, record in records.items():
        if name == _METADATA:
            continue
        begin, end, places[name] = _place(name, record, data_start=data_start)
        ends.append((begin, end, name))
    reached = 0
    for begin, end, name in sorted(ends):
        if begin != reached:
            msg = f"tensor {name!r} begins at byte {begin:,} of the data, not at {reached:,}"
            raise ValueError(msg)
        reached = end
    if data_start + reached != size_bytes:
        msg = f"its tensors end at byte {data_start + reached:,}, the file at {size_bytes:,}"
        raise ValueError(msg)
    return places


def _place(name: str, record: object, *, data_start: int) -> tuple[int, int, TensorPlace]:
    fields = cast("dict[str, Any]", record) if isinstance(record, dict) else {}
    kind, sizes, span = (fields.get(key) for key in ("dtype", "shape", "data_offsets"))
    if not (isinstance(kind, str) and _are_counts(sizes) and _are_counts(span)):
        msg = f"tensor {name!r} is not described by dtype, shape and data_offsets"
        raise ValueError(msg)
    dtype = _DTYPES.get(kind)
    begin, end = span  # another number of offsets is a ValueError as well
    if dtype is None:
        msg = f"tensor {name!r} has numbers of the unknown kind {kind!r}"
        raise ValueError(msg)
    if len(sizes) > _RANK_MAX or 0 in sizes:
        msg = f"tensor {name!r} has an impossible shape"
        raise ValueError(msg)
    if end - begin != math.prod(sizes) * np.dtype(dtype).itemsize:
        msg = f"tensor {name!r} has {end - begin:,} bytes, which its shape does not explain"
        raise ValueError(msg)
    place = TensorPlace(dtype=dtype, shape=tuple(sizes), offset_bytes=data_start + begin)
    return begin, end, place


def _are_counts(values: object) -> TypeGuard[list[int]]:
    if not isinstance(values, list):
        return False
    return all(type(value) is int and value >= 0 for value in cast("list[object]", values))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        msg = "its header names something twice"
        raise ValueError(msg)
    return found
