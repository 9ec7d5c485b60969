"""How a request and the scheduler talk: this file holds the steps of a program.

A request is a coroutine. It yields what it wants evaluated, and is sent the outputs once that has
happened, maybe in a pass together with other requests, maybe over several passes. Whoever drives it
may stop at any step, by closing it.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from smallhold.engine.batch import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """What only requests that agree on it can share a pass with."""

    adapter: str | None = None
    """Name of the LoRA adapter in use."""
    wants_hidden: bool = False
    """The hidden states are read instead of the logits."""


@dataclass(slots=True, kw_only=True)
class Step:
    """What a program wants evaluated before it goes on."""

    batch: Batch
    mode: Mode
    is_divisible: bool = False
    """Consecutive tokens of a prompt: may be evaluated over several passes, in order. Only the last
    one's output is wanted, if any."""
    done_tokens: int = 0
    """Tokens evaluated so far; counted by whoever drives the program."""
    passes: int = 0
    """Passes that it took part in so far; counted likewise."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The program cannot go on before another one has moved.

    There is no room for it yet, or another one is computing the beginning that both share.
    """

    for_room: bool


class Outputs(Protocol):
    """What a step's evaluation gave; valid until the next pass."""

    def logits(self, index: int) -> NDArray[np.float32]:
        """Give the logits after the step's token `index`, float32 [n_vocab], free to write into."""
        ...

    def hidden(self, index: int) -> NDArray[np.float32]:
        """Give the hidden state of the step's token `index`, float32 [n_embd]."""
        ...


Program: TypeAlias = Generator[Step | Wait, Outputs, None]
"""A request as a coroutine. After a `Wait` the outputs sent are not to be read."""
