"""Who takes part in the next forward pass: this file holds that decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from smallhold.engine.program import Mode

Rank: TypeAlias = tuple[int, float]
"""Priority, then virtual finish time: tokens computed by everybody until the step was asked for,
plus the step's own. Short prompts overtake long ones that came shortly before, and nobody waits for
ever. Source: Demers, Keshav and Shenker 1989, "Analysis and Simulation of a Fair Queueing
Algorithm", section 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassLimits:
    """What fits into one pass."""

    batch_tokens: int
    """Most tokens."""
    chunk_tokens: int
    """Most tokens of prompts, beside requests whose answer is under way."""
    outputs: int
    """Most positions whose output is wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What one request wants evaluated next."""

    tokens: int
    outputs: int
    is_divisible: bool
    mode: Mode
    rank: Rank


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How much of a demand takes part in the pass."""

    index: int
    """Which of the demands."""
    tokens: int


def plan_pass(demands: Sequence[Demand], limits: PassLimits) -> tuple[Share, ...]:
    """Choose what to evaluate together.

    Whatever cannot be divided (the next token of each answer, with the guesses after it) comes
    first, then prompts in order of rank; only requests of the first one's mode share its pass.

    Args:
        demands: At most one for each request, no larger than the limits unless divisible.
        limits: What fits.

    Returns:
        At least one share if there is a demand.
    """
    order = sorted(range(len(demands)), key=lambda index: demands[index].rank)
    if not order:
        return ()
    mode = demands[order[0]].mode
    order = [index for index in order if demands[index].mode == mode]
    shares: list[Share] = []
    tokens, outputs = limits.batch_tokens, limits.outputs
    for index in order:
        demand = demands[index]
        if not demand.is_divisible and demand.tokens <= tokens and demand.outputs <= outputs:
            shares.append(Share(index=index, tokens=demand.tokens))
            tokens -= demand.tokens
            outputs -= demand.outputs
    if shares:
        tokens = min(tokens, limits.chunk_tokens)
    for index in order:
        demand = demands[index]
        if demand.is_divisible and tokens > 0 and demand.outputs <= outputs:
            count = min(demand.tokens, tokens)
            # A single token left over would be computed by other kernels, with other rounding.
            if count == demand.tokens - 1 and count > 1:
                count -= 1
            shares.append(Share(index=index, tokens=count))
            tokens -= count
            outputs -= demand.outputs
    return tuple(shares)
