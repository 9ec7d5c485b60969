"""Many mixed requests at once, cancelled and killed at random: none is stuck or mixed up."""

from __future__ import annotations

import gc
import logging
import math
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import anyio
import psutil
import pytest
from tests.engine.correctness.reference import Reference
from tests.engine.correctness.traffic import (
    TEXT_TOKENS,
    Answer,
    Echo,
    Question,
    Text,
    agree,
    echoes,
    regular_questions,
)

from smallhold.engine.config import ModelConfig
from smallhold.exceptions import DeadlineExceededError, WorkerDiedError
from smallhold.generation import Priority, Scheduling
from smallhold.runtimes.embedded import EmbeddedRuntime

CONCURRENCY = 8
STUCK_AFTER_S = 30.0
ECHO_SHARE = 0.4
CANCELLED_SHARE = 0.15
LATE_SHARE = 0.1
KILLS_EVERY = 40
LONGEST_PATIENCE_S = 0.03
"""About the time of an answer, so that cancels meet requests in every state."""
CACHE_BYTES = 4 * 1024 * 1024
"""Full after the warm-up: what prefixes take may not pass for a leak, nor hide one."""
DYING_S = 1.0
RSS_GROWTH = 0.05
CLEAR_MARGIN = 0.05
"""In logits; batches of different shapes differ by 0.001 on this model."""

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Tally:
    """What became of the requests."""

    answered: int = 0
    cancelled: int = 0
    late: int = 0
    """Requests whose own deadline passed."""
    killed: int = 0
    """Requests that ended with the worker that served them."""
    wrong: list[tuple[Question, Answer]] = field(default_factory=list[tuple[Question, Answer]])
    kinds: Counter[str] = field(default_factory=Counter[str])


@dataclass(slots=True, kw_only=True)
class Soak:
    """Runs questions against a runtime, some of them only for a moment."""

    runtime: EmbeddedRuntime
    known: Sequence[tuple[Question, Answer]] = field(repr=False)
    seed: int
    kills_every: int = 0
    """A worker is killed after about so many requests; 0 is never."""
    kills: int = 0
    killed_s: float = -math.inf
    """When the last worker was killed, on the monotonic clock."""
    tally: Tally = field(default_factory=Tally)

    async def run(self, count: int) -> Tally:
        self.tally = Tally()
        rng = random.Random(self.seed)  # noqa: S311 - a test's own dice
        questions = islice(self._questions(rng), count)
        async with anyio.create_task_group() as tasks:
            for worker in range(CONCURRENCY):
                tasks.start_soon(self._user, questions, random.Random(worker))  # noqa: S311 - see above
        return self.tally

    def _questions(self, rng: random.Random) -> Iterator[tuple[Question, Answer | None]]:
        fresh = echoes(rng)
        while True:
            yield (next(fresh), None) if rng.random() < ECHO_SHARE else rng.choice(self.known)

    async def _user(
        self, questions: Iterator[tuple[Question, Answer | None]], rng: random.Random
    ) -> None:
        for question, expected in questions:
            if self.kills_every and rng.randrange(self.kills_every) == 0:
                self._kill()
            is_patient = rng.random() >= CANCELLED_SHARE
            patience_s = STUCK_AFTER_S if is_patient else rng.random() * LONGEST_PATIENCE_S
            has_time = rng.random() >= LATE_SHARE
            scheduling = Scheduling(
                priority=rng.choice(list(Priority)),
                timeout_s=None if has_time else max(1e-6, rng.random() * LONGEST_PATIENCE_S),
            )
            with anyio.move_on_after(patience_s) as scope:
                await self._ask(question, expected, scheduling=scheduling)
            if scope.cancelled_caught:
                assert not is_patient, f"stuck: {question}"
                self.tally.cancelled += 1

    async def _ask(
        self, question: Question, expected: Answer | None, *, scheduling: Scheduling
    ) -> None:
        started_s = time.monotonic()
        try:
            answer = await question.ask(self.runtime, scheduling=scheduling)
        except DeadlineExceededError:
            assert scheduling.timeout_s is not None
            self.tally.late += 1
            return
        except WorkerDiedError:
            # A request may reach a process that has been killed and is not gone yet.
            assert self.killed_s >= started_s - DYING_S, "it died by itself"
            self.tally.killed += 1
            return
        self.tally.answered += 1
        self.tally.kinds[type(question).__name__] += 1
        if not is_right(question, answer, expected):
            self.tally.wrong.append((question, answer))

    def _kill(self) -> None:
        pid = self.runtime.worker_pid
        if pid is not None:
            self.kills += 1
            self.killed_s = time.monotonic()
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def is_right(question: Question, answer: Answer, expected: Answer | None) -> bool:
    if isinstance(question, Echo):
        text = str(answer)
        return question.canary in text and text.count("canary") == 1
    return expected is not None and agree(answer, expected)


@asynccontextmanager
async def started(path: Path) -> AsyncGenerator[EmbeddedRuntime]:
    runtime = EmbeddedRuntime(
        ModelConfig(
            path=path,
            name="tiny",
            context_tokens=1024,
            batch_tokens=64,
            threads=1,
            cache_bytes=CACHE_BYTES,
        )
    )
    try:
        yield runtime
    finally:
        await runtime.aclose()


def clear_questions(path: Path) -> list[Question]:
    """Questions whose answers do not turn on the shape of a batch."""
    reference = Reference(path)
    with closing(reference):
        return [
            question
            for question in regular_questions()
            if not isinstance(question, Text)
            or reference.least_margin(reference.tokens(question.prompt), max_tokens=TEXT_TOKENS)
            > CLEAR_MARGIN
        ]


async def answered_alone(path: Path) -> list[tuple[Question, Answer]]:
    """Ask one by one."""
    questions = clear_questions(path)
    async with started(path) as runtime:
        known = [(question, await question.ask(runtime)) for question in questions]
    # Mixed-up answers are seen only where answers differ.
    assert len({repr(answer) for _, answer in known}) > 0.5 * len(known)
    return known


def rss_bytes(runtime: EmbeddedRuntime) -> int:
    assert runtime.worker_pid is not None
    return psutil.Process(runtime.worker_pid).memory_info().rss


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What this process holds of the system."""

    descriptors: int
    children: int
    threads: int

    @classmethod
    def now(cls) -> Holdings:
        gc.collect()
        me = psutil.Process()
        return cls(descriptors=me.num_fds(), children=len(me.children()), threads=me.num_threads())


async def assert_soaks(path: Path, *, calm: int, killed: int) -> None:
    known = await answered_alone(path)
    before = Holdings.now()
    async with started(path) as runtime:
        soak = Soak(runtime=runtime, known=known, seed=1)
        warm_up = await soak.run(max(150, calm // 4))
        warm_bytes = rss_bytes(runtime)
        tally = await soak.run(calm)
        grown = rss_bytes(runtime) / warm_bytes - 1
        _log.info("calm: %s, worker grown by %.1f %%", summary(tally), 100 * grown)
        assert not warm_up.wrong + tally.wrong
        assert tally.cancelled
        assert tally.late
        assert len(tally.kinds) == 4
        assert grown <= RSS_GROWTH
    async with started(path) as runtime:
        soak = Soak(runtime=runtime, known=known, seed=2, kills_every=KILLS_EVERY)
        started_s = time.monotonic()
        tally = await soak.run(killed)
        took_s = time.monotonic() - started_s
        _log.info("killed %d times in %.0f s: %s", soak.kills, took_s, summary(tally))
        assert not tally.wrong
        assert soak.kills
        assert tally.answered > 0.5 * killed
    after = Holdings.now()
    # A thread that waited for a worker's end may stay for the next one.
    assert (after.descriptors, after.children) == (before.descriptors, before.children)
    assert after.threads <= before.threads + CONCURRENCY


def summary(tally: Tally) -> str:
    return (
        f"{tally.answered} answered {dict(tally.kinds)}, {tally.cancelled} cancelled, "
        f"{tally.late} late, "
        f"{tally.killed} ended with their worker"
    )


async def test_hundreds_of_mixed_requests_are_answered_each_with_its_own(tiny_llama: Path) -> None:
    await assert_soaks(tiny_llama, calm=200, killed=100)


@pytest.mark.slow
async def test_ten_thousand_mixed_requests_leak_nothing(tiny_llama: Path) -> None:
    await assert_soaks(tiny_llama, calm=7000, killed=3000)
