"""Files whose digest nobody stated beforehand: this file holds the least that is asked of them.

An error page or a log-in page could otherwise pass for a model.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

from smallhold.exceptions import InvalidWeightsError
from smallhold.models.catalog.catalog import ModelFormat
from smallhold.models.gguf.header import read_gguf_header

_LENGTH: Final = struct.Struct("<Q")
_FIRST_FIELD_OF_ONNX: Final = b"\x08"


def require_model(path: Path, *, format: ModelFormat) -> None:  # noqa: A002 - the catalog's name for it
    """Look whether a file begins as its format says.

    Raises:
        InvalidGGUFError: The header of a GGUF file is not sound.
        InvalidWeightsError: A safetensors or ONNX file does not begin like one.
    """
    match format:
        case ModelFormat.GGUF:
            read_gguf_header(path)
        case ModelFormat.SAFETENSORS:
            _require(path, is_sound=_is_safetensors(path), what="safetensors")
        case ModelFormat.ONNX:
            _require(path, is_sound=_begin(path, 1) == _FIRST_FIELD_OF_ONNX, what="ONNX")


def _is_safetensors(path: Path) -> bool:
    """Source: the safetensors format: the length of a JSON object as `u64`, then the object."""
    begin = _begin(path, _LENGTH.size + 1)
    if len(begin) <= _LENGTH.size:
        return False
    (length,) = _LENGTH.unpack_from(begin)
    return begin[_LENGTH.size :] == b"{" and length <= path.stat().st_size - _LENGTH.size


def _begin(path: Path, size_bytes: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size_bytes)


def _require(path: Path, *, is_sound: bool, what: str) -> None:
    if not is_sound:
        raise InvalidWeightsError(path=str(path), problem=f"it does not begin like a {what} file")
