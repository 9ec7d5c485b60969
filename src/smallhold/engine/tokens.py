"""Runs of token ids: this file holds how they are compared."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Tokens = NDArray[np.int32]
"""int32 [n_tokens]"""


def common_prefix(a: Tokens, b: Tokens) -> int:
    """Count the leading tokens that two runs share."""
    size = min(len(a), len(b))
    different = np.flatnonzero(a[:size] != b[:size])
    return int(different[0]) if len(different) else size


def distinct_tokens(runs: Iterable[Tokens]) -> int:
    """Count the tokens of runs that keep their common prefixes once.

    In lexicographic order the prefix that a run shares with any earlier one is the prefix it shares
    with its predecessor, so one pass over neighbours counts each trie node once.
    """
    ordered = sorted(runs, key=lambda tokens: tokens.astype(">i4").tobytes())
    total = 0
    for index, tokens in enumerate(ordered):
        total += len(tokens) - (common_prefix(ordered[index - 1], tokens) if index else 0)
    return total
