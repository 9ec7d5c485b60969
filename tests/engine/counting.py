"""A model that counts: this file holds a scheduler over it, with those who ask and listen."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from smallhold.engine.batch import Batch, linear_batch
from smallhold.engine.pass_plan import PassLimits
from smallhold.engine.program import Mode, Outputs, Program, Step, Wait
from smallhold.engine.scheduler import Scheduler, Task
from smallhold.exceptions import (
    ContextOverflowError,
    DecodeError,
    SmallholdError,
)
from smallhold.testing import ManualClock

VOCABULARY = 1000
BATCH, CHUNK, OUTPUTS = 32, 8, 16
PLAIN, LEGAL = Mode(), Mode(adapter="legal")
TOO_LONG = ContextOverflowError(prompt_tokens=9, limit_tokens=8)


@dataclass(frozen=True, slots=True)
class Counted:
    """Outputs of a model that counts: after each token comes the next number."""

    batch: Batch
    offset: int

    def logits(self, index: int) -> NDArray[np.float32]:
        assert self.batch.wants_output[self.offset + index]
        row = np.zeros(VOCABULARY, dtype=np.float32)
        row[self.batch.tokens[self.offset + index] + 1] = 1.0
        return row

    def hidden(self, index: int) -> NDArray[np.float32]:
        return self.logits(index)


class CountingEvaluator:
    """A model that counts, in a context that accepts each sequence's tokens only in order."""

    def __init__(self) -> None:
        self.passes: list[Batch] = []
        self.modes: list[Mode] = []
        self.is_broken = False
        self._lengths: dict[int, int] = {}

    def decode(self, batch: Batch, mode: Mode) -> None:
        assert 0 < len(batch) <= BATCH
        assert batch.outputs <= OUTPUTS
        self.passes.append(batch)
        self.modes.append(mode)
        if self.is_broken:
            raise DecodeError(problem="the KV cache is full")
        for position, (sequence,) in zip(batch.positions, batch.sequences, strict=True):
            assert position == self._lengths.get(sequence, 0)
            self._lengths[sequence] = int(position) + 1

    def outputs(self, offset: int) -> Outputs:
        return Counted(self.passes[-1], offset)


@dataclass(slots=True)
class Listener:
    """Waits for an answer; holds whoever serves it to the contract."""

    answer: list[int] = field(default_factory=list[int])
    errors: list[SmallholdError] = field(default_factory=list[SmallholdError])
    closed: int = 0
    seen_by_program: list[DecodeError] = field(default_factory=list[DecodeError])
    gone: bool = False
    ready: bool = True

    def is_gone(self) -> bool:
        return self.gone

    def is_ready(self) -> bool:
        return self.ready

    def fail(self, error: SmallholdError) -> None:
        assert not self.closed
        self.errors.append(error)

    def close(self) -> None:
        self.closed += 1


@dataclass(slots=True)
class Room:
    """Something that only some programs at a time have room in."""

    free: int

    @contextmanager
    def taken(self, size: int) -> Generator[None]:
        self.free -= size
        try:
            yield
        finally:
            self.free += size


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a program is to do."""

    prompt: int = 1
    """Tokens of the prompt."""
    answer: int = 3
    """Tokens of the answer."""
    mode: Mode = PLAIN
    room: Room | None = None
    room_needed: int = 1


ANY = Wish()


def counting(wish: Wish, listener: Listener, *, sequence: int) -> Program:
    """Read a prompt, then count from the request's own number on."""
    room = Room(free=wish.room_needed) if wish.room is None else wish.room
    while room.free < wish.room_needed:
        yield Wait(for_room=True)
    with room.taken(wish.room_needed):
        tokens = [sequence] * wish.prompt
        start, is_divisible = 0, True
        while len(listener.answer) < wish.answer:
            batch = linear_batch(tokens, start=start, sequence=sequence, outputs=1)
            try:
                outputs = yield Step(batch=batch, mode=wish.mode, is_divisible=is_divisible)
            except DecodeError as error:
                listener.seen_by_program.append(error)
                raise
            listener.answer.append(int(np.argmax(outputs.logits(len(tokens) - 1))))
            start, is_divisible = start + len(tokens), False
            tokens = listener.answer[-1:]


class Service:
    """A scheduler with everything around it."""

    def __init__(self, *, concurrent: int = 4, queue_limit: int = 8) -> None:
        self.clock = ManualClock()
        self.evaluator = CountingEvaluator()
        self.scheduler = Scheduler(
            self.evaluator,
            PassLimits(batch_tokens=BATCH, chunk_tokens=CHUNK, outputs=OUTPUTS),
            concurrent_requests=concurrent,
            queue_limit=queue_limit,
            clock=self.clock,
        )
        self.asked = 0

    def ask(
        self,
        wish: Wish = ANY,
        *,
        priority: int = 1,
        timeout_s: float | None = None,
    ) -> Listener:
        listener = Listener()
        program = counting(wish, listener, sequence=self.asked)
        self.add(program, listener, priority=priority, timeout_s=timeout_s)
        self.asked += 1
        return listener

    def add(
        self,
        program: Program,
        listener: Listener,
        *,
        priority: int = 1,
        timeout_s: float | None = None,
    ) -> None:
        self.scheduler.add(
            Task(
                program=program,
                client=listener,
                priority=priority,
                arrived_s=self.clock(),
                timeout_s=timeout_s,
            )
        )

    def run(self, passes: int = 1) -> None:
        for _ in range(passes):
            self.scheduler.run_pass()
            self.clock.advance(1.0)

    def finish(self, *, limit: int = 1000) -> None:
        for _ in range(limit):
            if self.scheduler.is_idle:
                return
            assert self.scheduler.run_pass() or self.scheduler.is_idle
        pytest.fail("requests are stuck")

    @property
    def sizes(self) -> list[int]:
        """Tokens in each pass."""
        return [len(batch) for batch in self.evaluator.passes]

    def tokens_of(self, sequence: int) -> list[int]:
        """Tokens of one request in each pass."""
        return [batch.sequences.count((sequence,)) for batch in self.evaluator.passes]
