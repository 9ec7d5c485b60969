"""Promises of `smallhold.evals.bench.restart`: this file holds tests of the suite `restart`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smallhold.evals.bench.answers import Answer
from smallhold.evals.bench.contestants import OURS
from smallhold.evals.bench.restart import Restart, run_restart, summarize
from smallhold.evals.bench.rounds import Sample, Turn

if TYPE_CHECKING:
    from tests.evals.bench.conftest import MakeSetup

pytestmark = pytest.mark.anyio


def answer(*, total_s: float) -> Answer:
    return Answer(
        text="a",
        prompt_tokens=10,
        cached_tokens=0,
        completion_tokens=1,
        arrivals_s=(total_s / 2,),
        total_s=total_s,
    )


def restarted(name: str, *, load_s: float, first_token_s: float) -> Sample[Restart]:
    value = Restart(load_s=load_s, answer=answer(total_s=2 * first_token_s))
    return Sample(turn=Turn(name=name, round=0, item=0), value=value)


def test_the_first_token_is_compared_with_and_without_the_load() -> None:
    samples = [
        restarted(OURS, load_s=2.0, first_token_s=1.0),
        restarted("peer", load_s=2.0, first_token_s=10.0),
    ]
    ratio = summarize(samples, peers=("peer",)).ratio
    assert ratio == {"first_token": 0.1, "first_token_with_load": 0.25}


async def test_ours_reads_the_prefix_from_disk_after_a_restart(make_setup: MakeSetup) -> None:
    report = await run_restart(make_setup(peers=()), prefix_tokens=300)
    ours = report.standings.ours
    assert report.standings.ratio["first_token"] is None
    assert isinstance(ours["prompt_tokens"], int | float)
    assert isinstance(ours["prompt_tokens_computed"], int | float)
    assert ours["prompt_tokens"] > 250
    assert ours["prompt_tokens_computed"] < 60


@pytest.mark.slow
async def test_ours_is_sooner_than_a_server_that_reads_the_same_prompt_anew(
    make_setup: MakeSetup,
) -> None:
    pytest.importorskip("xllamacpp")
    report = await run_restart(make_setup(threads=2), prefix_tokens=400)
    ratio = report.standings.ratio["first_token"]
    assert ratio is not None
    assert ratio < 1
    ours, server = report.standings.ours, report.standings.peers["llama-server"]
    assert ours["prompt_tokens"] == server["prompt_tokens"] == server["prompt_tokens_computed"]
