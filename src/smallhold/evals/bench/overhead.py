"""Suite `overhead`: this file holds what our way to a token adds to the bare decoding loop."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import anyio

from smallhold.engine.client import worker_environment
from smallhold.engine.config import ModelConfig
from smallhold.evals.bench.answers import Answer
from smallhold.evals.bench.contestants import OURS, Contestant, Ours, our_config
from smallhold.evals.bench.figures import median, milliseconds, over_best_low
from smallhold.evals.bench.peers import BARE_LOOP, PeerProcess, PeerSettings
from smallhold.evals.bench.prompts import prompt_of
from smallhold.evals.bench.rendering import Render, renderer_for
from smallhold.evals.bench.report import Standings, SuiteReport
from smallhold.evals.bench.rounds import Course, Sample, Turn, play
from smallhold.evals.bench.setup import BenchSetup, available, report_of
from smallhold.exceptions import UnsupportedFeatureError
from smallhold.generation import GenerationRequest, ScoreRequest
from smallhold.messages import JsonObject

NAME: Final = "overhead"
BATCHES: Final = (1, 8)
TOKENS: Final = 96
CONTEXT_TOKENS: Final = 512
TASK: Final = "Write the numbers from one to one hundred in words, beginning with"
STARTS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """Some answers decoded in step."""

    texts: tuple[str, ...]
    lengths: tuple[int, ...]
    """Tokens of each answer."""
    decoding_s: float
    """What these took, transport included and the prompts left out."""

    @property
    def steps(self) -> int:
        """Passes after the first token of each."""
        return max(self.lengths) - 1

    @property
    def step_s(self) -> float:
        """Seconds for one more token of every answer that is not at its end."""
        return self.decoding_s / max(1, self.steps)


def requests(batch: int, *, tokens: int) -> list[GenerationRequest]:
    """Ask for so many answers of so many tokens."""
    return [
        GenerationRequest(prompt=prompt_of("", f"{TASK} {start}."), max_tokens=tokens)
        for start in STARTS[:batch]
    ]


class BareLoop:
    """The loop in a process of its own, with a worker's settings and environment."""

    def __init__(self, process: PeerProcess, *, render: Render) -> None:
        self._process = process
        self._render = render

    async def start(self) -> None:
        """Start the process and wait until it has loaded the model."""
        await self._process.start()

    async def decode(
        self, asked: Sequence[GenerationRequest], *, lengths: Sequence[int]
    ) -> Decoding:
        """Decode all requests in step, each to its number of tokens."""
        prompts = [self._render(request.prompt) for request in asked]
        await self._process.send({"prompts": prompts, "tokens": lengths})
        done = (await self._process.receive())["done"]
        return Decoding(
            texts=tuple(done["texts"]),
            lengths=tuple(lengths),
            decoding_s=float(done["seconds"]),
        )

    async def answer(self, request: GenerationRequest) -> Answer:
        """Refuse: it decodes in step only."""
        raise self._refusal(request)

    async def choose(self, request: ScoreRequest) -> Answer:
        """Refuse: it decodes in step only."""
        raise self._refusal(request)

    async def stop(self) -> None:
        """End the process."""
        await self._process.stop()

    def _refusal(self, request: object) -> UnsupportedFeatureError:
        return UnsupportedFeatureError(
            runtime=BARE_LOOP.name, feature=type(request).__name__, remedy="Ask another peer."
        )


async def decode(
    contestant: Contestant, asked: Sequence[GenerationRequest], *, lengths: Sequence[int]
) -> Decoding:
    """Decode answers at once, and time the tokens after the first of each.

    The bare loop stops no answer by itself, so it is told how long ours were.

    For a contestant that is spoken to by requests this is the difference between two runs over
    prompts that it knows: one to the end, one of a single token each. Times between arrivals of
    text would flatter an engine that sends its tokens in groups.
    """
    if isinstance(contestant, BareLoop):
        return await contestant.decode(asked, lengths=lengths)
    first_s, _ = await _together(contestant, [replace(it, max_tokens=1) for it in asked])
    whole_s, answers = await _together(contestant, asked)
    return Decoding(
        texts=tuple(answer.text for answer in answers),
        lengths=tuple(answer.completion_tokens for answer in answers),
        decoding_s=whole_s - first_s,
    )


async def answer_lengths(
    contestant: Contestant, asked: Sequence[GenerationRequest]
) -> tuple[int, ...]:
    """Find how many tokens the model makes of each request."""
    try:
        await contestant.start()
        _, answers = await _together(contestant, asked)
    finally:
        await contestant.stop()
    return tuple(answer.completion_tokens for answer in answers)


async def _together(
    contestant: Contestant, asked: Sequence[GenerationRequest]
) -> tuple[float, list[Answer]]:
    answers: dict[int, Answer] = {}

    async def ask(number: int) -> None:
        answers[number] = await contestant.answer(asked[number])

    started_s = time.monotonic()
    async with anyio.create_task_group() as tasks:
        for number in range(len(asked)):
            tasks.start_soon(ask, number)
    return time.monotonic() - started_s, [answers[number] for number in range(len(asked))]


def bare_settings(config: ModelConfig) -> PeerSettings:
    """Give the bare loop what our worker has."""
    return PeerSettings(
        model=str(config.path),
        threads=config.threads or 1,
        context_tokens=CONTEXT_TOKENS,
        slots=max(BATCHES),
        batch_tokens=config.batch_tokens,
        flash_attention=config.uses_flash_attention,
        kv_type=config.kv_type.value,
    )


async def run_overhead(setup: BenchSetup, *, tokens: int = TOKENS) -> SuiteReport:
    """Measure decoding alone and eight at once; guessing of tokens is off, as in the bare loop."""
    batches = BATCHES[: setup.at_most(len(BATCHES))]
    config = our_config(
        setup.path, threads=setup.threads, context_tokens=CONTEXT_TOKENS, sessions=max(BATCHES)
    )
    config = replace(config, drafts=False)
    names, missing = available(setup, (BARE_LOOP.name,))
    entered: dict[str, Contestant] = {OURS: Ours(config)}
    if names:
        process = PeerProcess(
            BARE_LOOP,
            bare_settings(config),
            scripts=setup.scripts,
            environ=worker_environment(os.environ),
        )
        entered[BARE_LOOP.name] = BareLoop(process, render=renderer_for(setup.path))

    lengths = await answer_lengths(entered[OURS], requests(max(batches), tokens=tokens))

    async def measure(contestant: Contestant, turn: Turn) -> Decoding:
        batch = batches[turn.item]
        asked = requests(batch, tokens=tokens)
        if turn.round == 0:
            await decode(contestant, requests(batch, tokens=2), lengths=[2] * batch)
        return await decode(contestant, asked, lengths=lengths[:batch])

    course = Course(
        rounds=setup.rounds, items=len(batches), starts_afresh=False, on_turn=setup.on_turn
    )
    samples = await play(entered, measure, course=course)
    standings = summarize(samples, peers=names, batches=batches)
    return report_of(setup, suite=NAME, standings=standings, missing=missing)


def summarize(
    samples: Sequence[Sample[Decoding]], *, peers: Sequence[str], batches: Sequence[int]
) -> Standings:
    """Sum up the decodings of each batch size."""

    def of(name: str, item: int) -> list[Decoding]:
        return [it.value for it in samples if (it.turn.name, it.turn.item) == (name, item)]

    def figures(name: str) -> JsonObject:
        found: JsonObject = {}
        for item, batch in enumerate(batches):
            found |= _figures(of(name, item), compared_with=of(OURS, item), batch=batch)
        return found

    return Standings(
        ours=figures(OURS),
        peers={name: figures(name) for name in peers},
        ratio={
            f"batch{batch}": over_best_low(
                _step_s(of(OURS, item)), [_step_s(of(name, item)) for name in peers]
            )
            for item, batch in enumerate(batches)
        },
    )


def _figures(
    decodings: Sequence[Decoding], *, compared_with: Sequence[Decoding], batch: int
) -> JsonObject:
    step_s = _step_s(decodings)
    return {
        f"batch{batch}_steps": median(it.steps for it in decodings),
        f"batch{batch}_tokens": median(sum(it.lengths) for it in decodings),
        f"batch{batch}_equal_to_ours": sum(
            text.rstrip() == other.rstrip()
            for it, ours in zip(decodings, compared_with, strict=True)
            for text, other in zip(it.texts, ours.texts, strict=True)
        ),
        f"batch{batch}_answers": sum(len(it.texts) for it in decodings),
        f"batch{batch}_ms_per_step": milliseconds(step_s),
        f"batch{batch}_ms_per_token": milliseconds(None if step_s is None else step_s / batch),
    }


def _step_s(decodings: Sequence[Decoding]) -> float | None:
    return median(it.step_s for it in decodings)
