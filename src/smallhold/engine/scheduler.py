"""Running many requests in one context: this file holds the scheduler.

Before each forward pass it drops requests that nobody waits for any more, starts those whose turn
it is, and puts what all of them want evaluated into one batch ("continuous batching". Source: Yu et
al. 2022, "Orca: A Distributed Serving System for Transformer-Based Generative Models", section 3).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from smallhold.engine.batch import Batch, merged
from smallhold.engine.pass_plan import Demand, PassLimits, Rank, Share, plan_pass
from smallhold.engine.program import Mode, Outputs, Program, Step, Wait
from smallhold.exceptions import (
    DeadlineExceededError,
    DecodeError,
    QueueFullError,
    SmallholdError,
)

_USUAL_REQUEST_S = 2.0
"""What a request takes until one has ended here; only for telling when to try again."""
_SMOOTHING = 0.2

_log = logging.getLogger(__name__)


class Client(Protocol):
    """Whom a task serves."""

    def is_gone(self) -> bool:
        """Whether nobody waits for the answer any more."""
        ...

    def is_ready(self) -> bool:
        """Whether more output can be taken now."""
        ...

    def fail(self, error: SmallholdError) -> None:
        """Report an error instead of an answer."""
        ...

    def close(self) -> None:
        """The task has ended, for whatever reason; called once."""
        ...


class Evaluator(Protocol):
    """What runs forward passes."""

    def decode(self, batch: Batch, mode: Mode) -> None:
        """Run one pass. Raises `DecodeError`."""
        ...

    def outputs(self, offset: int) -> Outputs:
        """Give the outputs of a step whose first token stood at this place in the pass."""
        ...


@dataclass(slots=True, kw_only=True, eq=False)
class Task:
    """A request with whom it serves."""

    program: Program
    client: Client
    priority: int
    """Lower goes first."""
    arrived_s: float
    """On the monotonic clock."""
    timeout_s: float | None = None
    step: Step | None = field(default=None, init=False)
    """What it wants evaluated; `None` while it waits."""
    rank: Rank = field(default=(0, 0.0), init=False)
    waits_for_room: bool = field(default=False, init=False)
    has_started: bool = field(default=False, init=False)
    has_ended: bool = field(default=False, init=False)


@dataclass(slots=True)
class Traffic:
    """What passes carry at present; programs read it to size their steps."""

    rows: int = 0
    """Indivisible tokens in the pass before: answers under way."""


class Scheduler:
    """Drives the programs of one context, pass by pass."""

    def __init__(
        self,
        evaluator: Evaluator,
        limits: PassLimits,
        *,
        concurrent_requests: int,
        queue_limit: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.traffic = Traffic()
        self._evaluator = evaluator
        self._limits = limits
        self._concurrent_requests = concurrent_requests
        self._queue_limit = queue_limit
        self._clock = clock
        self._queue: list[Task] = []
        self._running: list[Task] = []
        self._computed_tokens = 0
        self._request_s = _USUAL_REQUEST_S

    @property
    def is_idle(self) -> bool:
        """Whether there is no task at all."""
        return not self._queue and not self._running

    def add(self, task: Task) -> None:
        """Take a task. Where too many wait, one of priority 0 or more is told so and ended."""
        if task.priority >= 0 and self._is_crowded():
            turns = 1 + len(self._queue) / self._concurrent_requests
            retry_after_s = max(1.0, turns * self._request_s)
            self._fail(task, QueueFullError(limit=self._queue_limit, retry_after_s=retry_after_s))
            return
        self._queue.append(task)

    def run_pass(self) -> bool:
        """Run one forward pass with all that fits; false if nothing could be computed."""
        self._drop_unwanted()
        self._resume_waiting()
        self._start_queued()
        able = [task for task in self._running if task.step is not None and task.client.is_ready()]
        shares = plan_pass([_demand(task) for task in able], self._limits)
        if not shares:
            return False
        self._evaluate([(able[share.index], share) for share in shares])
        return True

    def fail_all(self, error: SmallholdError) -> None:
        """End every task with an error."""
        for task in [*self._running, *self._queue]:
            self._fail(task, error)
        self._forget_ended()

    def _is_crowded(self) -> bool:
        # Those who will start with the next pass do not wait, but they came through here as well.
        places = self._concurrent_requests + self._queue_limit
        return len(self._running) + len(self._queue) >= places

    def _is_full(self) -> bool:
        return len(self._running) >= self._concurrent_requests

    def _drop_unwanted(self) -> None:
        now_s = self._clock()
        for task in [*self._running, *self._queue]:
            if task.client.is_gone():
                _log.info("scheduler.cancelled")
                self._end(task)
            elif task.timeout_s is not None and now_s > task.arrived_s + task.timeout_s:
                self._fail(task, DeadlineExceededError(limit_s=task.timeout_s))
        self._forget_ended()

    def _forget_ended(self) -> None:
        self._running = [task for task in self._running if not task.has_ended]
        self._queue = [task for task in self._queue if not task.has_ended]
        if not self._running:
            self.traffic.rows = 0

    def _resume_waiting(self) -> None:
        for task in self._running:
            if task.step is None:
                self._advance(task)
        self._forget_ended()

    def _start_queued(self) -> None:
        for task in sorted(self._queue, key=lambda task: task.priority):
            # Only what is more urgent overtakes a task that waits for room, or it might wait for
            # ever.
            waits = any(
                other.waits_for_room and other.priority <= task.priority for other in self._running
            )
            if task.priority >= 0 and (self._is_full() or waits):
                break
            self._running.append(task)
            self._advance(task)
        running = set(self._running)
        self._queue = [task for task in self._queue if task not in running]
        self._forget_ended()

    def _advance(self, task: Task, outputs: Outputs | None = None) -> None:
        """Let a program go on until it wants something evaluated, or ends."""
        try:
            wanted = next(task.program) if outputs is None else task.program.send(outputs)
        except StopIteration:
            self._end(task)
            return
        except SmallholdError as error:
            self._fail(task, error)
            return
        task.has_started = True
        task.step = None if isinstance(wanted, Wait) else wanted
        task.waits_for_room = isinstance(wanted, Wait) and wanted.for_room
        if task.step is not None:
            finish = float(self._computed_tokens + len(task.step.batch))
            task.rank = (task.priority, finish)

    def _evaluate(self, chosen: list[tuple[Task, Share]]) -> None:
        parts: list[Batch] = []
        offsets: list[int] = []
        total = rows = 0
        for task, share in chosen:
            step = _step(task)
            parts.append(step.batch.part(step.done_tokens, step.done_tokens + share.tokens))
            offsets.append(total - step.done_tokens)
            total += share.tokens
            rows += 0 if step.is_divisible else share.tokens
        try:
            self._evaluator.decode(merged(parts), _step(chosen[0][0]).mode)
        except DecodeError as error:
            # Each program learns of it, so that it does not hand back what it cannot trust.
            for task, _ in chosen:
                self._throw(task, error)
        else:
            self._computed_tokens += total
            self.traffic.rows = rows
            for (task, share), offset in zip(chosen, offsets, strict=True):
                step = _step(task)
                step.done_tokens += share.tokens
                step.passes += 1
                if step.done_tokens == len(step.batch):
                    self._advance(task, self._evaluator.outputs(offset))
        self._forget_ended()

    def _throw(self, task: Task, error: DecodeError) -> None:
        try:
            task.program.throw(error)
        except StopIteration:
            self._end(task)
        except SmallholdError as raised:
            self._fail(task, raised)
        else:
            self._fail(task, error)

    def _fail(self, task: Task, error: SmallholdError) -> None:
        if task.has_ended:
            return
        task.client.fail(error)
        self._end(task)

    def _end(self, task: Task) -> None:
        task.has_ended = True
        task.program.close()
        task.client.close()
        if task.has_started:
            took_s = self._clock() - task.arrived_s
            self._request_s += _SMOOTHING * (took_s - self._request_s)


def _step(task: Task) -> Step:
    if task.step is None:
        raise DecodeError(problem="a task without a step was chosen")
    return task.step


def _demand(task: Task) -> Demand:
    step = _step(task)
    return Demand(
        tokens=len(step.batch) - step.done_tokens,
        outputs=step.batch.outputs,
        is_divisible=step.is_divisible,
        mode=step.mode,
        rank=task.rank,
    )
