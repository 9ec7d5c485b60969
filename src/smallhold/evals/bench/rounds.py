"""Taking turns: this file holds the order of measurements, and the loop over it.

Every contestant has its turn at an item before anyone goes on to the next item, and who is first
changes from turn to turn. So a change of the machine's mood meets all of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

import anyio

from smallhold.evals.bench.contestants import Contestant

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One measurement that is due."""

    name: str
    round: int
    item: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample(Generic[Value]):
    """What a turn came to."""

    turn: Turn
    value: Value


OnTurn: TypeAlias = Callable[[Turn], None]
"""Told of each turn that has ended, for progress."""


def turns(names: Sequence[str], *, round: int, items: int) -> Iterator[Turn]:  # noqa: A002 - the field's own term
    """List a round's turns in order."""
    for item in range(items):
        first = (round + item) % len(names)
        for name in (*names[first:], *names[:first]):
            yield Turn(name=name, round=round, item=item)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How often which measurements are made."""

    rounds: int
    items: int
    starts_afresh: bool
    """Every round begins with new processes and empty caches."""
    on_turn: OnTurn


async def play(
    contestants: Mapping[str, Contestant],
    measure: Callable[[Contestant, Turn], Awaitable[Value]],
    *,
    course: Course,
) -> list[Sample[Value]]:
    """Start all contestants, measure in turns, and stop them again.

    Raises:
        SmallholdError: a contestant failed.
    """
    samples: list[Sample[Value]] = []
    try:
        for number in range(course.rounds):
            if number == 0 or course.starts_afresh:
                await _restart(contestants)
            for turn in turns(tuple(contestants), round=number, items=course.items):
                value = await measure(contestants[turn.name], turn)
                samples.append(Sample(turn=turn, value=value))
                course.on_turn(turn)
    finally:
        with anyio.CancelScope(shield=True):
            await _stop(contestants)
    return samples


def values_of(samples: Sequence[Sample[Value]], name: str) -> list[Value]:
    """One contestant's measurements, in order."""
    return [sample.value for sample in samples if sample.turn.name == name]


def values_by_round(samples: Sequence[Sample[Value]], name: str) -> list[list[Value]]:
    """One contestant's measurements, a list for each round."""
    rounds: dict[int, list[Value]] = {}
    for sample in samples:
        if sample.turn.name == name:
            rounds.setdefault(sample.turn.round, []).append(sample.value)
    return [rounds[number] for number in sorted(rounds)]


async def _restart(contestants: Mapping[str, Contestant]) -> None:
    await _stop(contestants)
    for contestant in contestants.values():
        await contestant.start()


async def _stop(contestants: Mapping[str, Contestant]) -> None:
    for contestant in contestants.values():
        await contestant.stop()
