"""Suite `concurrent`: this file holds what many streams cost while a long prompt arrives."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import anyio

from smallhold.evals.bench.answers import Answer
from smallhold.evals.bench.contestants import OURS, Contestant, Ours, our_config
from smallhold.evals.bench.figures import (
    median,
    milliseconds,
    over_best_high,
    over_best_low,
    percentile,
    ratio,
    rounded,
)
from smallhold.evals.bench.peers import LLAMA_SERVER, PeerSettings
from smallhold.evals.bench.prompts import (
    document,
    instructions,
    prompt_of,
    question,
    sentences_for,
)
from smallhold.evals.bench.report import Standings, SuiteReport
from smallhold.evals.bench.rounds import Course, Sample, Turn, play
from smallhold.evals.bench.setup import SMALL_BATCH, BenchSetup, lineup, report_of
from smallhold.generation import GenerationRequest, Prompt
from smallhold.messages import JsonObject

NAME: Final = "concurrent"
CONTEXT_TOKENS: Final = 4096
ASKING: Final = "Tell me a long story about it, with many details."
WARM_UP_TOKENS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What arrives."""

    sessions: tuple[int, ...] = (1, 4, 8, 16)
    """Streams at the same time, one number after the other."""
    answer_tokens: int = 64
    prefix_tokens: int = 300
    """Instructions that all sessions share."""
    long_prompt_tokens: int = 3000
    long_answer_tokens: int = 8
    arrival_s: float = 1.0
    """When the long prompt arrives, after the streams have begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What all contestants are asked."""

    system: str
    document_sentences: int
    traffic: Traffic

    def stream(self, *, round: int, sessions: int, session: int) -> GenerationRequest:  # noqa: A002 - the field's own term
        """A session's request, another one in every round."""
        number = (round * 1000 + sessions) * 100 + session
        return GenerationRequest(
            prompt=prompt_of(self.system, f"{question(number)} {ASKING}"),
            max_tokens=self.traffic.answer_tokens,
        )

    def long(self, *, round: int, sessions: int) -> GenerationRequest:  # noqa: A002 - the field's own term
        """The long prompt, another one in every round."""
        text = document(round * 1000 + sessions, sentences=self.document_sentences)
        return GenerationRequest(
            prompt=prompt_of(self.system, text), max_tokens=self.traffic.long_answer_tokens
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rush:
    """What came of one number of sessions."""

    streams: tuple[Answer, ...]
    long: Answer
    streams_s: float
    """Until the last stream had ended."""
    all_s: float
    """Until the long prompt was answered too."""

    @property
    def tokens_per_s(self) -> float:
        """Generated tokens of streams and long prompt, over the whole time."""
        made = self.long.completion_tokens + sum(it.completion_tokens for it in self.streams)
        return made / self.all_s

    @property
    def stream_tokens_per_s(self) -> float:
        """Generated tokens of the streams alone, until the last of them had ended."""
        return sum(it.completion_tokens for it in self.streams) / self.streams_s

    @property
    def first_token_p95_s(self) -> float:
        """Over the streams."""
        return percentile((it.first_token_s for it in self.streams), share=0.95) or 0.0

    @property
    def longest_gap_s(self) -> float:
        """The longest pause that any stream made."""
        return max(it.longest_gap_s for it in self.streams)

    @property
    def gap_p95_s(self) -> float:
        """The longest pause of a stream, over the streams."""
        return percentile((it.longest_gap_s for it in self.streams), share=0.95) or 0.0


async def run_concurrent(setup: BenchSetup, *, traffic: Traffic | None = None) -> SuiteReport:
    """Measure streams of several numbers of sessions.

    The contestants stay loaded, and every slot has seen the instructions before.
    """
    asked = traffic or Traffic()
    sessions = tuple(number for number in asked.sessions if number <= setup.at_most(number))
    slots = max(sessions) + 1
    entered = lineup(
        setup,
        config=our_config(
            setup.path, threads=setup.threads, context_tokens=CONTEXT_TOKENS, sessions=3
        ),
        settings=PeerSettings(
            model=str(setup.path),
            threads=setup.threads,
            context_tokens=CONTEXT_TOKENS,
            slots=slots,
        ),
        peers=(LLAMA_SERVER.name, SMALL_BATCH),
    )
    texts = await make_texts(entered.ours, asked)

    async def measure(contestant: Contestant, turn: Turn) -> Rush:
        if (turn.round, turn.item) == (0, 0):
            await warm_up(contestant, texts, slots=slots)
        return await rush(contestant, texts, round=turn.round, sessions=sessions[turn.item])

    course = Course(
        rounds=setup.rounds, items=len(sessions), starts_afresh=False, on_turn=setup.on_turn
    )
    samples = await play(entered.all, measure, course=course)
    standings = summarize(samples, peers=tuple(entered.peers), sessions=sessions)
    return report_of(setup, suite=NAME, standings=standings, missing=entered.missing)


async def make_texts(ours: Ours, traffic: Traffic) -> Texts:
    """Make texts of the wanted lengths, by the model's own tokenizer."""

    def agent(sentences: int) -> Prompt:
        return prompt_of(instructions(0, sentences=sentences))

    def long(sentences: int) -> Prompt:
        return prompt_of("", document(0, sentences=sentences))

    try:
        count = ours.count_tokens
        for_agent = await sentences_for(traffic.prefix_tokens, make=agent, count=count)
        rest = traffic.long_prompt_tokens - traffic.prefix_tokens
        for_document = await sentences_for(rest, make=long, count=count)
    finally:
        await ours.stop()
    system = instructions(0, sentences=for_agent)
    return Texts(system=system, document_sentences=for_document, traffic=traffic)


async def warm_up(contestant: Contestant, texts: Texts, *, slots: int) -> None:
    """Let every slot compute the instructions, untimed."""
    async with anyio.create_task_group() as tasks:
        for slot in range(slots):
            prompt = prompt_of(texts.system, f"Greet customer {slot}.")
            request = GenerationRequest(prompt=prompt, max_tokens=WARM_UP_TOKENS)
            tasks.start_soon(contestant.answer, request)


async def rush(
    contestant: Contestant,
    texts: Texts,
    *,
    round: int,  # noqa: A002 - the field's own term
    sessions: int,
) -> Rush:
    """Send all sessions' requests at once, and the long prompt a little later."""
    started_s = time.monotonic()
    streams: dict[int, Answer] = {}
    ends_s: list[float] = []
    long: list[Answer] = []

    async def stream(session: int) -> None:
        request = texts.stream(round=round, sessions=sessions, session=session)
        streams[session] = await contestant.answer(request)
        ends_s.append(time.monotonic() - started_s)

    async def interrupt() -> None:
        await anyio.sleep(texts.traffic.arrival_s)
        long.append(await contestant.answer(texts.long(round=round, sessions=sessions)))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(interrupt)
        for session in range(sessions):
            tasks.start_soon(stream, session)
    return Rush(
        streams=tuple(streams[session] for session in range(sessions)),
        long=long[0],
        streams_s=max(ends_s),
        all_s=time.monotonic() - started_s,
    )


def summarize(
    samples: Sequence[Sample[Rush]], *, peers: Sequence[str], sessions: Sequence[int]
) -> Standings:
    """Sum up the rushes, for each number of sessions; the ratio is that of the largest."""
    by_name = {
        name: {
            number: [it.value for it in samples if it.turn.name == name and it.turn.item == item]
            for item, number in enumerate(sessions)
        }
        for name in (OURS, *peers)
    }
    ours = by_name[OURS]
    each = {
        number: ratios(ours[number], [by_name[name][number] for name in peers])
        for number in sessions
    }
    most = max(sessions)
    return Standings(
        ours=figures(ours, compared_with=ours),
        peers={name: figures(by_name[name], compared_with=ours) for name in peers},
        ratio={
            **each[most],
            **{
                f"{key}_at_{number}": value
                for number in sessions
                for key, value in each[number].items()
            },
        },
    )


def ratios(ours: Sequence[Rush], peers: Sequence[Sequence[Rush]]) -> dict[str, float | None]:
    """Compare one number of sessions with the best peer, key by key."""
    return {
        "tokens_per_s": over_best_high(
            median(it.tokens_per_s for it in ours),
            [median(it.tokens_per_s for it in rushes) for rushes in peers],
        ),
        "first_token_p95": over_best_low(
            median(it.first_token_p95_s for it in ours),
            [median(it.first_token_p95_s for it in rushes) for rushes in peers],
        ),
        "stream_tokens_per_s": over_best_high(
            median(it.stream_tokens_per_s for it in ours),
            [median(it.stream_tokens_per_s for it in rushes) for rushes in peers],
        ),
        "longest_gap": over_best_low(
            median(it.longest_gap_s for it in ours),
            [median(it.longest_gap_s for it in rushes) for rushes in peers],
        ),
    }


def figures(
    by_sessions: Mapping[int, Sequence[Rush]], *, compared_with: Mapping[int, Sequence[Rush]]
) -> JsonObject:
    """Sum up one contestant's rushes."""
    return {
        f"sessions_{number}": _figures(rushes, compared_with=compared_with[number])
        for number, rushes in by_sessions.items()
    }


def _figures(rushes: Sequence[Rush], *, compared_with: Sequence[Rush]) -> JsonObject:
    pairs = [
        (one.text, other.text)
        for mine, theirs in zip(rushes, compared_with, strict=True)
        for one, other in zip(mine.streams, theirs.streams, strict=True)
    ]
    made = median(sum(it.completion_tokens for it in rush.streams) for rush in rushes)
    computed = median(sum(it.computed_tokens for it in rush.streams) for rush in rushes)
    return {
        "stream_tokens": made,
        "stream_prompt_tokens_computed": computed,
        "long_prompt_tokens": median(rush.long.prompt_tokens for rush in rushes),
        "long_prompt_tokens_computed": median(rush.long.computed_tokens for rush in rushes),
        "equal_to_ours": ratio(sum(one == other for one, other in pairs), len(pairs)),
        "tokens_per_s": rounded(median(it.tokens_per_s for it in rushes)),
        "stream_tokens_per_s": rounded(median(it.stream_tokens_per_s for it in rushes)),
        "first_token_p95_ms": milliseconds(median(it.first_token_p95_s for it in rushes)),
        "longest_gap_p95_ms": milliseconds(median(it.gap_p95_s for it in rushes)),
        "longest_gap_ms": milliseconds(median(it.longest_gap_s for it in rushes)),
        "long_first_token_ms": milliseconds(median(it.long.first_token_s for it in rushes)),
    }
