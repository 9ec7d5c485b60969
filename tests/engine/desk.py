"""Requests on a model in this process: this file holds a desk that serves several at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from smallhold.engine.embedding_program import embed
from smallhold.engine.generation_program import generate
from smallhold.engine.loaded import LoadedModel
from smallhold.engine.program import Program
from smallhold.engine.scheduler import Task
from smallhold.engine.scoring_program import score
from smallhold.engine.wire import Embedded, Reply, Scored, TextDelta
from smallhold.exceptions import SmallholdError
from smallhold.generation import EmbedRequest, GenerationRequest, Pooling, Prompt, ScoreRequest


@dataclass(slots=True)
class Listener:
    """Takes the replies to one request."""

    replies: list[Reply] = field(default_factory=list[Reply])
    error: SmallholdError | None = None

    def is_gone(self) -> bool:
        return False

    def is_ready(self) -> bool:
        return True

    def fail(self, error: SmallholdError) -> None:
        self.error = error

    def close(self) -> None: ...

    @property
    def text(self) -> str:
        assert self.error is None
        return "".join(reply.text for reply in self.replies if isinstance(reply, TextDelta))

    @property
    def embedded(self) -> Embedded:
        assert self.error is None
        (reply,) = self.replies
        assert isinstance(reply, Embedded)
        return reply

    @property
    def vector(self) -> NDArray[np.float64]:
        return np.asarray(self.embedded.vector)

    @property
    def scored(self) -> Scored:
        assert self.error is None
        (reply,) = self.replies
        assert isinstance(reply, Scored)
        return reply


class Desk:
    """Takes requests, and computes when told to."""

    def __init__(self, loaded: LoadedModel) -> None:
        self.loaded = loaded

    def ask_embedding(self, prompt: Prompt, *, pooling: Pooling = Pooling.LAST) -> Listener:
        request = EmbedRequest(prompt=prompt, pooling=pooling)
        return self._add(lambda emit: embed(self.loaded, request, emit=emit))

    def ask_text(self, prompt: Prompt, *, max_tokens: int = 12) -> Listener:
        request = GenerationRequest(prompt=prompt, max_tokens=max_tokens)
        return self._add(lambda emit: generate(self.loaded, request, emit=emit, arrived_s=0.0))

    def ask_scores(self, request: ScoreRequest) -> Listener:
        return self._add(lambda emit: score(self.loaded, request, emit=emit))

    def serve(self) -> None:
        """Compute until everybody has an answer."""
        while not self.loaded.scheduler.is_idle:
            assert self.loaded.scheduler.run_pass() or self.loaded.scheduler.is_idle

    def embed(self, prompt: Prompt, *, pooling: Pooling = Pooling.LAST) -> Listener:
        listener = self.ask_embedding(prompt, pooling=pooling)
        self.serve()
        return listener

    def generate(self, prompt: Prompt, *, max_tokens: int = 12) -> str:
        listener = self.ask_text(prompt, max_tokens=max_tokens)
        self.serve()
        return listener.text

    def score(self, request: ScoreRequest) -> Scored:
        listener = self.ask_scores(request)
        self.serve()
        return listener.scored

    def _add(self, start: Callable[[Callable[[Reply], None]], Program]) -> Listener:
        listener = Listener()
        task = Task(
            program=start(listener.replies.append),
            client=listener,
            priority=1,
            arrived_s=time.monotonic(),
        )
        self.loaded.scheduler.add(task)
        return listener
