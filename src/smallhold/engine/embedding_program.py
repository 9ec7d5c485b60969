"""A prompt as a vector: this file holds the evaluation of hidden states.

The prompt's beginning is read as for any other request and shared with them; only the tokens whose
states are wanted are evaluated with their states kept.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from smallhold.engine.batch import linear_batch
from smallhold.engine.lease import Lease, take_lease
from smallhold.engine.llama import MAX_OUTPUTS
from smallhold.engine.loaded import LoadedModel
from smallhold.engine.program import Outputs, Program, Step, Wait
from smallhold.engine.residents import FRESH_TOKENS
from smallhold.engine.wire import Embedded, Reply
from smallhold.exceptions import DecodeError
from smallhold.generation import EmbedRequest, Pooling
from smallhold.messages import Usage

Vector: TypeAlias = NDArray[np.float64]
"""float64 [n_embd]"""
Reading: TypeAlias = Generator[Step | Wait, Outputs, Vector]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Which of a prompt's hidden states make the vector."""

    first: int
    """Position of the first state that is wanted; all up to the last one are."""
    start: int
    """Where the passes that give states may begin. llama.cpp gives a state for each token of such a
    pass, so reading a long beginning this way would be slower."""


def plan_places(*, prompt_tokens: int, stable_tokens: int, pooling: Pooling) -> Places:
    """Choose which tokens' states are wanted.

    Args:
        prompt_tokens: Length of the prompt, at least 1.
        stable_tokens: Length of its unchanging beginning, which says nothing of this prompt.
        pooling: How states become one.
    """
    last = prompt_tokens - 1
    stable = min(stable_tokens, last)
    match pooling:
        case Pooling.MEAN:
            return Places(first=stable, start=stable)
        case Pooling.LAST:
            return Places(first=last, start=max(stable, prompt_tokens - MAX_OUTPUTS))


def embed(loaded: LoadedModel, request: EmbedRequest, *, emit: Callable[[Reply], None]) -> Program:
    """Turn a prompt into a vector.

    Raises:
        ContextOverflowError: the prompt does not fit.
        UnknownAdapterError: the prompt names an adapter that was not loaded.
    """
    encoded = loaded.encoder.encode(request.prompt, splits_tail=False)
    loaded.check_fits(encoded)
    prompt = encoded.tokens
    places = plan_places(
        prompt_tokens=len(prompt), stable_tokens=encoded.stable_tokens, pooling=request.pooling
    )
    # Cached keys and values bring no states with them, so what is shared ends before the first.
    shared = replace(encoded, tokens=prompt[: places.first + FRESH_TOKENS])
    lease = yield from take_lease(
        loaded,
        shared,
        answer_tokens=len(prompt) - len(shared.tokens),
        adapter=request.prompt.adapter,
        priority=request.scheduling.priority,
    )
    with lease:
        yield from lease.read_prompt(until=places.start)
        vector = yield from _summed(lease, prompt[len(lease.held) :].tolist(), places)
        emit(
            Embedded(
                vector=unit(vector).tolist(),
                usage=Usage(
                    prompt_tokens=len(prompt),
                    cached_tokens=lease.cached_tokens,
                    passes=lease.passes,
                ),
            )
        )


def _summed(lease: Lease, tokens: list[int], places: Places) -> Reading:
    """Evaluate the rest of the prompt, and add up the states that are wanted.

    A sum points where the mean does.
    """
    mode = replace(lease.mode, wants_hidden=True)
    total: Vector | None = None
    for begin in range(0, len(tokens), MAX_OUTPUTS):
        chunk = tokens[begin : begin + MAX_OUTPUTS]
        start = len(lease.held)
        batch = linear_batch(chunk, start=start, sequence=lease.sequence, outputs=len(chunk))
        outputs = yield from lease.run(Step(batch=batch, mode=mode), chunk)
        for index in range(max(0, places.first - start), len(chunk)):
            state = outputs.hidden(index).astype(np.float64)
            total = state if total is None else total + state
    if total is None:
        raise DecodeError(problem="the prompt has no token whose state could be read")
    return total


def unit(vector: Vector) -> Vector:
    """Scale a vector to length 1. Raises `DecodeError` where it has no direction."""
    length = float(np.linalg.norm(vector))
    if not 0 < length < np.inf:
        raise DecodeError(problem=f"the hidden states have the length {length}")
    return vector / length
