"""Engines that take part in a benchmark: this file holds what each must do, and ours."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol

from smallhold.engine.config import ModelConfig
from smallhold.evals.bench.answers import Answer
from smallhold.generation import GenerationRequest, Prompt, ScoreRequest
from smallhold.messages import Usage
from smallhold.runtimes.embedded import EmbeddedRuntime

OURS = "ours"


class Contestant(Protocol):
    """An engine in a process of its own."""

    async def start(self) -> None:
        """Load the model and return when it answers. Raises `SmallholdError` if it does not."""
        ...

    async def answer(self, request: GenerationRequest) -> Answer:
        """Generate; several calls may run at the same time."""
        ...

    async def choose(self, request: ScoreRequest) -> Answer:
        """Choose among texts; the answer's text is the chosen one."""
        ...

    async def stop(self) -> None:
        """End the process; a later `start` begins with empty caches."""
        ...


class Ours:
    """Smallhold's embedded engine behind its public API."""

    def __init__(self, config: ModelConfig) -> None:
        self._runtime = EmbeddedRuntime(config)

    async def start(self) -> None:
        """Start the worker and load the model."""
        await self._runtime.describe()

    async def answer(self, request: GenerationRequest) -> Answer:
        """Stream one answer."""
        sent_s = time.monotonic()
        pieces: list[str] = []
        arrivals_s: list[float] = []
        async with self._runtime.stream(request) as stream:
            async for piece in stream:
                arrivals_s.append(time.monotonic() - sent_s)
                pieces.append(piece)
            usage = stream.completion.usage
        total_s = time.monotonic() - sent_s
        return _answer("".join(pieces), usage, arrivals_s=tuple(arrivals_s), total_s=total_s)

    async def choose(self, request: ScoreRequest) -> Answer:
        """Score all choices and take the likeliest."""
        sent_s = time.monotonic()
        scores = await self._runtime.score(request)
        total_s = time.monotonic() - sent_s
        best = max(range(len(request.choices)), key=scores.log_probs.__getitem__)
        return _answer(request.choices[best], scores.usage, arrivals_s=(total_s,), total_s=total_s)

    async def count_tokens(self, prompt: Prompt) -> int:
        """Tokens of a prompt, by the model's own tokenizer."""
        return await self._runtime.count_tokens(prompt)

    async def stop(self) -> None:
        """End the worker."""
        await self._runtime.aclose()


def _answer(text: str, usage: Usage, *, arrivals_s: tuple[float, ...], total_s: float) -> Answer:
    return Answer(
        text=text,
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=usage.cached_tokens,
        completion_tokens=usage.completion_tokens,
        forced_tokens=usage.forced_tokens,
        passes=usage.passes,
        arrivals_s=arrivals_s,
        total_s=total_s,
    )


def our_config(
    path: Path,
    *,
    threads: int,
    context_tokens: int,
    sessions: int = 1,
    snapshot_folder: Path | None = None,
) -> ModelConfig:
    """Settings of ours for a suite; whatever is not named here is the default.

    Args:
        path: The GGUF file.
        threads: The same number for every contestant.
        context_tokens: Most tokens of one request.
        sessions: Requests at the same time that each may fill a whole context.
        snapshot_folder: Where snapshots are kept, or none.
    """
    return ModelConfig(
        path=path,
        name=path.stem,
        threads=threads,
        context_tokens=context_tokens,
        active_tokens=context_tokens * max(2, sessions),
        snapshot_folder=snapshot_folder,
    )
