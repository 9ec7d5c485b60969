"""Whether the engine still computes: this file holds the one-token canary.

It goes through the scheduler and a real forward pass, ahead of everything else: a worker whose
threads live while a pass hangs gives no answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from smallhold.engine.batch import linear_batch
from smallhold.engine.loaded import LoadedModel
from smallhold.engine.program import Mode, Program, Step
from smallhold.engine.wire import Alive, Reply

CANARY_PRIORITY: Final = -1
"""Before every priority that a caller can give."""


def canary(loaded: LoadedModel, *, emit: Callable[[Reply], None]) -> Program:
    """Evaluate one token and say how long that took."""
    begun_s = time.monotonic()
    sequence = loaded.canary_sequence
    token = max(loaded.model.bos, 0)
    try:
        yield Step(batch=linear_batch([token], start=0, sequence=sequence, outputs=1), mode=Mode())
    finally:
        loaded.context.remove(sequence)
    emit(Alive(pass_s=time.monotonic() - begun_s))
