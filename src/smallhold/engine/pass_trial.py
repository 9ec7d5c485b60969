"""Measuring forward passes after loading: this file holds the trial that fills the cost model."""

from __future__ import annotations

import time
from typing import Final

import numpy as np

from smallhold.engine.batch import Batch
from smallhold.engine.llama import Context
from smallhold.engine.pass_times import MEASURED_ROWS, PassTimes, undisturbed
from smallhold.engine.program import Mode
from smallhold.exceptions import DecodeError

_ROUNDS: Final = 3
"""The quickest of them counts: what is slower was disturbed by another process."""


class PassTrial:
    """Runs passes of several sizes, one at a time, while nobody waits."""

    def __init__(self, context: Context, *, sequence: int) -> None:
        self._context = context
        self._sequence = sequence
        self._seconds: dict[int, float] = {}
        # The first pass of a size builds its graph, so it is run once more than it counts.
        self._left = [rows for _ in range(_ROUNDS) for rows in MEASURED_ROWS]
        self.result: PassTimes | None = None

    def go_on(self) -> bool:
        """Run one more pass; false when all have been run."""
        if not self._left:
            return False
        rows = self._left.pop(0)
        try:
            seconds = self._timed(rows)
        except DecodeError:
            # A model that cannot do this does without guesses.
            self._left.clear()
            return False
        self._seconds[rows] = min(seconds, self._seconds.get(rows, seconds))
        if not self._left:
            self.result = PassTimes(undisturbed(self._seconds))
        return True

    def _timed(self, rows: int) -> float:
        batch = Batch(
            tokens=np.ones(rows, dtype=np.int32),
            positions=np.arange(rows, dtype=np.int32),
            sequences=((self._sequence,),) * rows,
            wants_output=np.ones(rows, dtype=np.int8),
        )
        started_s = time.perf_counter()
        try:
            self._context.decode(batch, Mode())
        finally:
            self._context.remove(self._sequence)
        return time.perf_counter() - started_s
