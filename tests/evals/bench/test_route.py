"""Promises of `smallhold.evals.bench.route`: this file holds tests of the suite `route`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smallhold.evals.bench.answers import Answer
from smallhold.evals.bench.contestants import OURS
from smallhold.evals.bench.rounds import Sample, Turn
from smallhold.evals.bench.route import (
    LABELS,
    TEXTS,
    Choice,
    route_request,
    run_route,
    summarize,
)

if TYPE_CHECKING:
    from tests.evals.bench.conftest import MakeSetup

pytestmark = pytest.mark.anyio


def answer(text: str, *, total_s: float, passes: int | None) -> Answer:
    return Answer(
        text=text,
        prompt_tokens=10,
        cached_tokens=0,
        completion_tokens=1,
        passes=passes,
        arrivals_s=(total_s,),
        total_s=total_s,
    )


def chosen(name: str, text: str, *, total_s: float, passes: int | None = None) -> Sample[Choice]:
    value = Choice(label="billing", answer=answer(text, total_s=total_s, passes=passes))
    return Sample(turn=Turn(name=name, round=0, item=0), value=value)


def test_there_are_twelve_labels_with_a_text_each() -> None:
    assert len(set(LABELS)) == 12
    assert list(TEXTS) == list(LABELS)


def test_texts_of_other_numbers_share_only_what_comes_before_them() -> None:
    first, second = (route_request("billing", number=number) for number in (100, 201))
    assert first.prompt.messages[0] == second.prompt.messages[0]
    assert first.prompt.messages[1] != second.prompt.messages[1]
    assert first.choices == LABELS


def test_passes_are_a_count_and_time_is_a_ratio() -> None:
    samples = [
        chosen(OURS, "billing", total_s=1.0, passes=1),
        chosen("peer", "returns", total_s=4.0),
    ]
    standings = summarize(samples, peers=("peer",))
    assert standings.ratio == {"passes": 1, "time": 0.25}
    assert (standings.ours["right"], standings.peers["peer"]["right"]) == (1, 0)
    assert standings.peers["peer"]["equal_to_ours"] == 0


async def test_ours_chooses_in_one_pass(make_setup: MakeSetup) -> None:
    report = await run_route(make_setup(peers=(), limit=3))
    assert report.standings.ratio == {"passes": 1, "time": None}
    assert report.standings.ours["choices"] == 3


@pytest.mark.slow
async def test_peers_choose_among_the_same_labels(make_setup: MakeSetup) -> None:
    pytest.importorskip("xllamacpp")
    report = await run_route(make_setup(limit=2, threads=2))
    assert set(report.standings.peers) == {"llama-server", "llama-cpp-python"}
    for figures in report.standings.peers.values():
        assert figures["choices"] == 2
        assert figures["time_p50_ms"]
