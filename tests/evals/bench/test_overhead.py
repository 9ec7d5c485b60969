"""Promises of `smallhold.evals.bench.overhead`: this file holds tests of the suite `overhead`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import pytest

from smallhold.evals.bench.contestants import OURS, our_config
from smallhold.evals.bench.overhead import (
    Decoding,
    answer_lengths,
    bare_settings,
    decode,
    requests,
    run_overhead,
    summarize,
)
from smallhold.evals.bench.rounds import Sample, Turn

if TYPE_CHECKING:
    from tests.evals.bench.conftest import MakeSetup, Recorder

pytestmark = pytest.mark.anyio

MakeRecorder: TypeAlias = "Callable[[], Recorder]"


def decoded(name: str, item: int, *, step_s: float) -> Sample[Decoding]:
    value = Decoding(texts=("a",), lengths=(11,), decoding_s=10 * step_s)
    return Sample(turn=Turn(name=name, round=0, item=item), value=value)


def test_a_step_is_a_token_of_every_answer_after_the_first() -> None:
    value = Decoding(texts=("a", "b"), lengths=(5, 11), decoding_s=2.0)
    assert value.steps == 10
    assert value.step_s == 0.2


def test_an_answer_of_one_token_has_no_step_to_divide_by() -> None:
    assert Decoding(texts=("a",), lengths=(1,), decoding_s=0.5).step_s == 0.5


def test_eight_requests_are_eight_texts() -> None:
    asked = requests(8, tokens=5)
    assert len({request.prompt for request in asked}) == 8
    assert {request.max_tokens for request in asked} == {5}


def test_each_batch_size_is_compared_with_the_bare_loop() -> None:
    samples = [
        decoded(OURS, 0, step_s=1.0), decoded("llama_decode", 0, step_s=0.8),
        decoded(OURS, 1, step_s=3.0), decoded("llama_decode", 1, step_s=2.0),
    ]  # fmt: skip
    standings = summarize(samples, peers=("llama_decode",), batches=(1, 8))
    assert standings.ratio == {"batch1": 1.25, "batch8": 1.5}
    assert standings.ours["batch8_ms_per_token"] == 375.0


def test_the_bare_loop_has_our_settings(make_setup: MakeSetup) -> None:
    config = our_config(make_setup().path, threads=2, context_tokens=512, sessions=8)
    settings = bare_settings(config)
    assert settings.threads == 2
    assert settings.flash_attention is config.uses_flash_attention
    assert settings.kv_type == config.kv_type


async def test_the_first_tokens_are_timed_apart(make_recorder: MakeRecorder) -> None:
    recorder = make_recorder()
    value = await decode(recorder, requests(3, tokens=7), lengths=(7, 7, 7))
    assert recorder.events == ["answer"] * 6
    assert value.lengths == (7, 7, 7)


async def test_lengths_are_found_before_the_run(make_recorder: MakeRecorder) -> None:
    recorder = make_recorder()
    assert await answer_lengths(recorder, requests(2, tokens=9)) == (9, 9)
    assert recorder.events[-1] == "stop"


async def test_ours_and_the_bare_loop_write_the_same(make_setup: MakeSetup) -> None:
    report = await run_overhead(make_setup(limit=1), tokens=8)
    assert report.standings.ratio["batch1"]
    (figures,) = report.standings.peers.values()
    assert figures["batch1_equal_to_ours"] == 1
