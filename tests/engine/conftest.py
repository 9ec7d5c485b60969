"""What tests of the engine share: this file holds a model in this process and a second opinion."""

# llama_cpp's classes are only partly typed.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import llama_cpp
import numpy as np
import pytest
from numpy.typing import NDArray

from smallhold.engine.batch import Batch
from smallhold.engine.config import ModelConfig
from smallhold.engine.generation_program import generate
from smallhold.engine.llama import MAX_OUTPUTS, Context, PassOutputs
from smallhold.engine.loaded import LoadedModel
from smallhold.engine.pass_plan import PassLimits
from smallhold.engine.prefix_tree import PrefixTree
from smallhold.engine.program import Mode, Program
from smallhold.engine.recent import RecentValues
from smallhold.engine.scheduler import Scheduler, Task
from smallhold.engine.scoring_program import score
from smallhold.engine.wire import Finished, Reply, Scored, TextDelta
from smallhold.exceptions import DecodeError, SmallholdError
from smallhold.generation import GenerationRequest, Prompt, ScoreRequest
from smallhold.messages import Message, Role

CACHE_BYTES = 64 * 1024 * 1024
TIE_NATS = 0.5
"""Tokens closer than this may change places with the shape of the batch: logits after the same text
differ by so much with Q4 weights (`docs/benchmarks.md`)."""


@dataclass(slots=True)
class Answer:
    """What came back for one request."""

    replies: list[Reply] = field(default_factory=list[Reply])
    error: SmallholdError | None = None
    has_left: bool = False
    """Nobody waits for it any more."""
    is_closed: bool = False

    def is_gone(self) -> bool:
        return self.has_left

    def is_ready(self) -> bool:
        return True

    def fail(self, error: SmallholdError) -> None:
        self.error = error

    def close(self) -> None:
        self.is_closed = True

    def last(self) -> Reply:
        """The reply that ends the request. Raises the error that ended it instead."""
        if self.error is not None:
            raise self.error
        return self.replies[-1]

    @property
    def text(self) -> str:
        return "".join(reply.text for reply in self.replies if isinstance(reply, TextDelta))

    @property
    def finished(self) -> Finished:
        end = self.last()
        assert isinstance(end, Finished)
        return end

    @property
    def scored(self) -> Scored:
        end = self.last()
        assert isinstance(end, Scored)
        return end


class Recorder:
    """Runs passes, and remembers what was in them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.passes: list[Batch] = []
        self.is_broken = False
        """The next pass fails, after it has been computed."""

    def decode(self, batch: Batch, mode: Mode) -> None:
        self._context.decode(batch, mode)
        self.passes.append(batch)
        if self.is_broken:
            self.is_broken = False
            raise DecodeError(problem="the cable is out")

    def outputs(self, offset: int) -> PassOutputs:
        return self._context.outputs(offset)


class Driver:
    """Serves requests on a model in this process, as a worker does."""

    def __init__(self, loaded: LoadedModel) -> None:
        self.loaded = loaded
        self.recorder = Recorder(loaded.context)
        limits = PassLimits(
            batch_tokens=loaded.context.batch_tokens,
            chunk_tokens=loaded.config.chunk_tokens,
            outputs=MAX_OUTPUTS,
        )
        loaded.scheduler = Scheduler(
            self.recorder,
            limits,
            concurrent_requests=loaded.config.concurrent_requests,
            queue_limit=loaded.config.queue_limit,
        )
        loaded.traffic = loaded.scheduler.traffic

    @property
    def batch_sizes(self) -> list[int]:
        """Tokens in each pass since the last request was asked alone."""
        return [len(batch) for batch in self.recorder.passes]

    def ask(self, request: GenerationRequest | ScoreRequest, *, priority: int = 1) -> Answer:
        """Take a request; nothing is computed yet."""
        loaded = self.loaded
        if isinstance(request, ScoreRequest):
            return self.start(lambda emit: score(loaded, request, emit=emit), priority=priority)
        now_s = time.monotonic()
        return self.start(
            lambda emit: generate(loaded, request, emit=emit, arrived_s=now_s), priority=priority
        )

    def start(
        self, program: Callable[[Callable[[Reply], None]], Program], *, priority: int = 1
    ) -> Answer:
        answer = Answer()
        task = Task(
            program=program(answer.replies.append),
            client=answer,
            priority=priority,
            arrived_s=time.monotonic(),
        )
        self.loaded.scheduler.add(task)
        return answer

    def serve(self, *, passes: int | None = None) -> None:
        """Compute until everybody has an answer, or for some passes."""
        scheduler = self.loaded.scheduler
        while not scheduler.is_idle and passes != 0:
            assert scheduler.run_pass() or scheduler.is_idle, "somebody waits for ever"
            passes = None if passes is None else passes - 1

    def alone(self, request: GenerationRequest | ScoreRequest) -> Answer:
        """Serve one request; `batch_sizes` are its own."""
        self.recorder.passes.clear()
        answer = self.ask(request)
        self.serve()
        return answer

    def together(self, requests: Sequence[GenerationRequest | ScoreRequest]) -> list[Answer]:
        """Serve requests that have come at the same time."""
        self.recorder.passes.clear()
        answers = [self.ask(request) for request in requests]
        self.serve()
        return answers

    def finish(self, request: GenerationRequest) -> tuple[str, Finished]:
        answer = self.alone(request)
        finished = answer.finished
        return answer.text, finished

    def score(self, request: ScoreRequest) -> Scored:
        return self.alone(request).scored

    def forget_all(self) -> None:
        """Leave nothing in memory that a request could share."""
        loaded = self.loaded
        loaded.prefixes = PrefixTree(
            limit_bytes=loaded.prefixes.limit_bytes,
            is_divisible=not loaded.model.keeps_whole_states,
        )
        loaded.baselines = RecentValues(limit=16)

    def free_sequences(self) -> tuple[int, int]:
        """How many sequences are free, for requests and for choices."""
        return len(self.loaded.free_sequences), len(self.loaded.branch_sequences)

    def held_bytes(self) -> int:
        """What an empty sequence's state takes, if none of them holds a token."""
        context = self.loaded.context
        sizes = {len(context.save(sequence)) for sequence in range(context.n_sequences)}
        assert len(sizes) == 1, "a sequence was not emptied"
        return sizes.pop()


class SecondOpinion:
    """llama-cpp-python's own high-level classes on the same file, without any code of ours."""

    def __init__(self, path: Path) -> None:
        self._llama = llama_cpp.Llama(
            str(path),
            n_ctx=1024,
            n_batch=64,
            n_threads=1,
            flash_attn=False,
            logits_all=True,
            verbose=False,
        )

    def close(self) -> None:
        self._llama.close()

    def greedy(self, tokens: Sequence[int], *, max_tokens: int) -> list[int]:
        """The likeliest tokens one by one, up to an end token."""
        self._llama.reset()
        made: list[int] = []
        self._llama.eval(list(tokens))
        while len(made) < max_tokens:
            token = int(np.argmax(self._row(-1)))
            if llama_cpp.llama_vocab_is_eog(
                llama_cpp.llama_model_get_vocab(self._llama.model),  # type: ignore[arg-type]
                token,
            ):
                break
            made.append(token)
            self._llama.eval([token])
        return made

    def log_prob(self, tokens: Sequence[int], following: Sequence[int]) -> float:
        """Log-probability of some tokens after others."""
        self._llama.reset()
        self._llama.eval([*tokens, *following])
        total = 0.0
        for place, token in enumerate(following):
            row = self._row(len(tokens) + place - 1).astype(np.float64)
            row -= row.max()
            total += float(row[token] - np.log(np.exp(row).sum()))
        return total

    def gap(self, tokens: Sequence[int], first: Sequence[int], second: Sequence[int]) -> float:
        """How much likelier one of two texts' tokens is than the other's, in nats, where they part.

        0.0 if one is the other's beginning.
        """
        parts = [place for place, (a, b) in enumerate(zip(first, second, strict=False)) if a != b]
        if not parts:
            return 0.0
        before, at = [*tokens, *first[: parts[0]]], parts[0]
        chances = [self.log_prob(before, [text[at]]) for text in (first, second)]
        return abs(chances[0] - chances[1])

    def _row(self, index: int) -> NDArray[np.float32]:
        count = self._llama.n_tokens
        return np.asarray(self._llama.scores[:count][index], dtype=np.float32)


@pytest.fixture(scope="session")
def small_config(smollm2_path: Path) -> ModelConfig:
    """Small enough that prompts take several passes and requests wait for room."""
    return ModelConfig(
        path=smollm2_path,
        name="smol",
        context_tokens=512,
        cache_bytes=CACHE_BYTES,
        batch_tokens=64,
        chunk_tokens=32,
        threads=1,
    )


@pytest.fixture(scope="session")
def shared_model(small_config: ModelConfig) -> Iterator[LoadedModel]:
    with ExitStack() as stack:
        yield LoadedModel(small_config, stack=stack)


@pytest.fixture
def driver(shared_model: LoadedModel) -> Iterator[Driver]:
    """A model whose memory is empty."""
    driver = Driver(shared_model)
    driver.forget_all()
    yield driver
    shared_model.scheduler.fail_all(DecodeError(problem="the test is over"))


class Start(Protocol):
    def __call__(self, config: ModelConfig) -> Driver: ...


@pytest.fixture
def start() -> Iterator[Start]:
    """Load a model, as often as a test wants: each begins with an empty memory."""
    with ExitStack() as stack:

        def load(config: ModelConfig) -> Driver:
            driver = Driver(LoadedModel(config, stack=stack))
            ended = DecodeError(problem="the test is over")
            stack.callback(lambda: driver.loaded.scheduler.fail_all(ended))
            return driver

        yield load


@pytest.fixture(scope="session")
def second_opinion(smollm2_path: Path) -> Iterator[SecondOpinion]:
    opinion = SecondOpinion(smollm2_path)
    yield opinion
    opinion.close()


class Asking:
    """Makes prompts."""

    def __call__(self, text: str, *, system: str = "", continuation: str = "") -> Prompt:
        first = (Message(role=Role.SYSTEM, content=system),) if system else ()
        return Prompt(
            messages=(*first, Message(role=Role.USER, content=text)), continuation=continuation
        )


@pytest.fixture(scope="session")
def ask() -> Asking:
    return Asking()
