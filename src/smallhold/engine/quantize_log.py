"""What llama.cpp says while it quantizes: this file holds the reading of its log.

Its C API returns nothing but whether it worked. Source: `llama_model_quantize_impl` in
`llama-quant.cpp` of the llama.cpp that llama-cpp-python 0.3.36 builds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

_TENSOR: Final = re.compile(r"\[\s*(\d+)/\s*(\d+)\]\s+(\S+)")
_SIZE: Final = re.compile(r"quant size\s*=\s*([\d.]+) MiB")
_FALLBACK: Final = re.compile(r"WARNING: (\d+) of \d+ tensor\(s\) required fallback")
_NEEDS_IMPORTANCE: Final = re.compile(r"will require an imatrix|requires an imatrix")
_MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorBegun:
    """A tensor is about to be written."""

    number: int
    """From 1."""
    total: int
    name: str


@dataclass(slots=True)
class QuantizeLog:
    """What the log has said so far."""

    tensor_bytes: int = 0
    fallback_tensors: int = 0
    needs_importance: bool = False
    _line: str = field(default="", init=False)

    def read(self, piece: str) -> TensorBegun | None:
        """Take in a piece of the log, which need not be a whole line."""
        self._line += piece
        begun = _TENSOR.search(piece)
        *whole, self._line = self._line.split("\n")
        for line in whole:
            self._read_line(line)
        if begun is None:
            return None
        return TensorBegun(number=int(begun[1]), total=int(begun[2]), name=begun[3])

    def _read_line(self, line: str) -> None:
        if match := _SIZE.search(line):
            self.tensor_bytes = round(float(match[1]) * _MEBIBYTE)
        if match := _FALLBACK.search(line):
            self.fallback_tensors = int(match[1])
        if _NEEDS_IMPORTANCE.search(line):
            self.needs_importance = True
