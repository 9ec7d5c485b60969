"""Vectors in a byte for each dimension: this file holds how they are rounded and compared.

A cosine of two MiniLM vectors changes by 0.002 at most, and 100,000 vectors of 384 dimensions take
38 MB and 6 ms, where float32 takes 154 MB and 5 ms, and float16, which processors only convert, 77
MB and 36 ms. Source: benchmarks/knowledge_search.py; docs/decisions/035.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

LARGEST: Final = 127
_BLOCK_ROWS: Final = 512
"""Rows that are compared at once: as floats they fit the second-level cache, which makes reading
bytes as fast as reading floats. Source: as above, the best of 128 to 4,096."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantized:
    """Vectors of length 1, each rounded to bytes of its own scale."""

    rows: npt.NDArray[np.int8]
    """int8 [vectors, dimensions], -127 to 127."""
    scales: npt.NDArray[np.float32]
    """float32 [vectors]: what a row is multiplied with."""

    @property
    def dimensions(self) -> int:
        """Numbers of a vector."""
        return int(self.rows.shape[1])

    def row(self, number: int) -> Quantized:
        """Give one vector."""
        here = slice(number, number + 1)
        return Quantized(rows=self.rows[here], scales=self.scales[here])

    def similarities(self, query: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Give the cosine between each vector and another.

        Args:
            query: float32 [dimensions], of length 1.

        Returns:
            float32 [vectors], -1 to 1.
        """
        count = len(self.rows)
        found = np.empty(count, dtype=np.float32)
        block = np.empty((min(count, _BLOCK_ROWS), self.dimensions), dtype=np.float32)
        for start in range(0, count, _BLOCK_ROWS):
            rows = self.rows[start : start + _BLOCK_ROWS]
            floats = block[: len(rows)]
            np.copyto(floats, rows)
            np.dot(floats, query, out=found[start : start + len(rows)])
        return found * self.scales


def quantized(vectors: npt.NDArray[np.float32]) -> Quantized:
    """Round vectors.

    Args:
        vectors: float32 [vectors, dimensions].
    """
    largest = np.abs(vectors).max(axis=1, initial=0.0)
    scales = (np.where(largest > 0, largest, 1.0) / LARGEST).astype(np.float32)
    rows = np.rint(vectors / scales[:, None]).astype(np.int8)
    return Quantized(rows=rows, scales=scales)


def together(parts: Sequence[Quantized]) -> Quantized:
    """Put vectors of one model below each other; at least one part."""
    return Quantized(
        rows=np.concatenate([part.rows for part in parts]),
        scales=np.concatenate([part.scales for part in parts]),
    )
