"""What tests of the benchmark suites share: this file holds contestants without a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from smallhold.evals.bench.answers import Answer
from smallhold.evals.bench.rounds import Turn
from smallhold.evals.bench.setup import BenchSetup
from smallhold.generation import GenerationRequest, ScoreRequest

MakeSetup = Callable[..., BenchSetup]


@dataclass
class Recorder:
    """A contestant that answers at once and writes down what happens to it."""

    events: list[str] = field(default_factory=list[str])

    async def start(self) -> None:
        self.events.append("start")

    async def answer(self, request: GenerationRequest) -> Answer:
        self.events.append("answer")
        return self._answer("yes", completion_tokens=request.max_tokens)

    async def choose(self, request: ScoreRequest) -> Answer:
        self.events.append("choose")
        return self._answer(request.choices[0], completion_tokens=1)

    async def stop(self) -> None:
        self.events.append("stop")

    def _answer(self, text: str, *, completion_tokens: int) -> Answer:
        return Answer(
            text=text,
            prompt_tokens=10,
            cached_tokens=0,
            completion_tokens=completion_tokens,
            arrivals_s=(0.5,),
            total_s=1.0,
        )


@pytest.fixture
def make_recorder() -> Callable[[], Recorder]:
    """Make contestants that only write down what happens to them."""
    return Recorder


def _ignore(turn: Turn) -> None:
    del turn


@pytest.fixture
def make_setup(smollm2_path: Path) -> MakeSetup:
    """Make settings for runs on the smallest model, one thread and one round."""

    def make(**changes: object) -> BenchSetup:
        plain: dict[str, object] = {
            "model": "smollm2-135m",
            "path": smollm2_path,
            "threads": 1,
            "rounds": 1,
            "on_turn": _ignore,
        }
        return BenchSetup(**{**plain, **changes})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - tests name fields

    return make
