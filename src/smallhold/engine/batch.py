"""The input of a forward pass: this file holds batches as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The input of one forward pass, as a forest: a token may belong to several sequences."""

    tokens: NDArray[np.int32]
    """int32 [n_tokens]"""
    positions: NDArray[np.int32]
    """int32 [n_tokens], each token's place in its sequence."""
    sequences: tuple[tuple[int, ...], ...]
    """For each token the sequences that contain it."""
    wants_output: NDArray[np.int8]
    """int8 [n_tokens], 1 where the next token's logits (or the hidden state) are wanted."""

    def __len__(self) -> int:
        """Number of tokens."""
        return len(self.tokens)

    @property
    def outputs(self) -> int:
        """Number of positions whose output is wanted."""
        return int(np.count_nonzero(self.wants_output))

    def part(self, start: int, stop: int) -> Batch:
        """Cut out consecutive tokens."""
        return Batch(
            tokens=self.tokens[start:stop],
            positions=self.positions[start:stop],
            sequences=self.sequences[start:stop],
            wants_output=self.wants_output[start:stop],
        )


def linear_batch(tokens: Sequence[int], *, start: int, sequence: int, outputs: int) -> Batch:
    """Make a batch of consecutive tokens of one sequence.

    Args:
        tokens: What to evaluate, in order.
        start: Position of the first one.
        sequence: The sequence that they belong to.
        outputs: How many of the last tokens' outputs are wanted.
    """
    count = len(tokens)
    wants = np.zeros(count, dtype=np.int8)
    wants[count - outputs :] = 1
    return Batch(
        tokens=np.asarray(tokens, dtype=np.int32),
        positions=np.arange(start, start + count, dtype=np.int32),
        sequences=((sequence,),) * count,
        wants_output=wants,
    )


def merged(batches: Sequence[Batch]) -> Batch:
    """Put batches one after the other."""
    if len(batches) == 1:
        return batches[0]
    return Batch(
        tokens=np.concatenate([batch.tokens for batch in batches]),
        positions=np.concatenate([batch.positions for batch in batches]),
        sequences=tuple(group for batch in batches for group in batch.sequences),
        wants_output=np.concatenate([batch.wants_output for batch in batches]),
    )
