"""Promises of `smallhold.evals.bench.concurrent`: this file holds tests of the suite."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import pytest

from smallhold.evals.bench.answers import Answer
from smallhold.evals.bench.concurrent import (
    Rush,
    Texts,
    Traffic,
    ratios,
    run_concurrent,
    rush,
    summarize,
    warm_up,
)
from smallhold.evals.bench.contestants import OURS
from smallhold.evals.bench.rounds import Sample, Turn

if TYPE_CHECKING:
    from tests.evals.bench.conftest import MakeSetup, Recorder

pytestmark = pytest.mark.anyio

MakeRecorder: TypeAlias = "Callable[[], Recorder]"

SMALL = Traffic(
    sessions=(1, 2), answer_tokens=4, prefix_tokens=100, long_prompt_tokens=300,
    long_answer_tokens=2, arrival_s=0.05,
)  # fmt: skip
TEXTS = Texts(system="Be brief.", document_sentences=3, traffic=SMALL)


def answer(*, completion_tokens: int, total_s: float) -> Answer:
    return Answer(
        text="a",
        prompt_tokens=10,
        cached_tokens=0,
        completion_tokens=completion_tokens,
        arrivals_s=(total_s / 2, total_s),
        total_s=total_s,
    )


def rushed(*, total_s: float, tokens: int = 10, sessions: int = 2) -> Rush:
    one = answer(completion_tokens=tokens, total_s=total_s)
    return Rush(streams=(one,) * sessions, long=one, streams_s=total_s, all_s=2 * total_s)


def sample(name: str, item: int, value: Rush) -> Sample[Rush]:
    return Sample(turn=Turn(name=name, round=0, item=item), value=value)


def test_the_suite_is_1_4_8_and_16_sessions_of_64_tokens_and_a_prompt_of_3000() -> None:
    traffic = Traffic()
    assert traffic.sessions == (1, 4, 8, 16)
    assert (traffic.answer_tokens, traffic.long_prompt_tokens) == (64, 3000)


def test_all_generated_tokens_count_over_the_whole_time() -> None:
    value = rushed(total_s=5.0, tokens=10)
    assert value.tokens_per_s == 3.0
    assert value.stream_tokens_per_s == 4.0


def test_gaps_and_first_tokens_are_those_of_the_streams() -> None:
    value = rushed(total_s=4.0)
    assert value.first_token_p95_s == 2.0
    assert value.longest_gap_s == value.gap_p95_s == 2.0


def test_more_tokens_and_shorter_waits_than_the_best_peer_are_better() -> None:
    found = ratios([rushed(total_s=1.0)], [[rushed(total_s=2.0)], [rushed(total_s=4.0)]])
    assert found["tokens_per_s"] == 2.0
    assert found["first_token_p95"] == 0.5


def test_the_contract_s_ratios_are_those_of_the_most_sessions() -> None:
    samples = [
        sample(OURS, 0, rushed(total_s=1.0)), sample(OURS, 1, rushed(total_s=1.0)),
        sample("peer", 0, rushed(total_s=2.0)), sample("peer", 1, rushed(total_s=4.0)),
    ]  # fmt: skip
    standings = summarize(samples, peers=("peer",), sessions=(1, 16))
    assert standings.ratio["tokens_per_s"] == standings.ratio["tokens_per_s_at_16"] == 4.0
    assert standings.ratio["first_token_p95"] == 0.25
    assert standings.ratio["first_token_p95_at_1"] == 0.5
    assert list(standings.ours) == ["sessions_1", "sessions_16"]


def test_no_two_sessions_or_rounds_ask_the_same() -> None:
    asked = {
        TEXTS.stream(round=number, sessions=sessions, session=session).prompt
        for number in range(3)
        for sessions in (1, 4, 16)
        for session in range(sessions)
    }
    assert len(asked) == 3 * 21
    long = {TEXTS.long(round=number, sessions=n).prompt for number in range(3) for n in (1, 4)}
    assert len(long) == 6


async def test_a_rush_is_all_sessions_and_one_long_prompt(make_recorder: MakeRecorder) -> None:
    recorder = make_recorder()
    value = await rush(recorder, TEXTS, round=0, sessions=5)
    assert len(recorder.events) == 6
    assert [it.completion_tokens for it in value.streams] == [4] * 5
    assert value.long.completion_tokens == 2
    assert value.all_s >= SMALL.arrival_s


async def test_every_slot_is_warmed_up(make_recorder: MakeRecorder) -> None:
    recorder = make_recorder()
    await warm_up(recorder, TEXTS, slots=3)
    assert recorder.events == ["answer"] * 3


@pytest.mark.slow
async def test_ours_and_the_server_stream_side_by_side(make_setup: MakeSetup) -> None:
    pytest.importorskip("xllamacpp")
    report = await run_concurrent(make_setup(threads=2, peers=("llama-server",)), traffic=SMALL)
    assert {"tokens_per_s", "first_token_p95"} <= report.standings.ratio.keys()
    assert all(value is not None for value in report.standings.ratio.values())
    for figures in (report.standings.ours, report.standings.peers["llama-server"]):
        both = figures["sessions_2"]
        assert isinstance(both, dict)
        assert both["stream_tokens"] == 8
