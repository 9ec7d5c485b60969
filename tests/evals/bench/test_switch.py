"""Promises of `smallhold.evals.bench.switch`: this file holds tests of the suite `switch`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.evals.bench.answers import Answer
from smallhold.evals.bench.contestants import OURS
from smallhold.evals.bench.rounds import Sample, Turn
from smallhold.evals.bench.switch import (
    AGENTS,
    SESSIONS,
    FirstRequest,
    necessary_tokens,
    prefix_lengths,
    random_order,
    run_switch,
    split_by_first_sight,
    summarize,
)

if TYPE_CHECKING:
    from tests.evals.bench.conftest import MakeSetup

pytestmark = pytest.mark.anyio


def answer(text: str, *, cached_tokens: int, total_s: float) -> Answer:
    return Answer(
        text=text,
        prompt_tokens=120,
        cached_tokens=cached_tokens,
        completion_tokens=1,
        arrivals_s=(total_s / 2,),
        total_s=total_s,
    )


def first(agent: int, *, cached: int = 0, total_s: float = 1.0, text: str = "a") -> FirstRequest:
    reply = answer(text, cached_tokens=cached, total_s=total_s)
    return FirstRequest(agent=agent, answer=reply)


def samples_of(name: str, requests: list[FirstRequest]) -> list[Sample[FirstRequest]]:
    return [
        Sample(turn=Turn(name=name, round=0, item=item), value=request)
        for item, request in enumerate(requests)
    ]


@given(st.integers(1, 20), st.integers(1, 20), st.integers())
def test_every_agent_is_asked_as_often_as_it_has_sessions(
    agents: int, sessions: int, seed: int
) -> None:
    order = random_order(agents=agents, sessions=sessions, seed=seed)
    assert Counter(order) == dict.fromkeys(range(agents), sessions)
    assert order == random_order(agents=agents, sessions=sessions, seed=seed)


def test_the_agents_of_the_suite_read_600_to_1500_tokens() -> None:
    lengths = prefix_lengths(AGENTS)
    assert (lengths[0], lengths[-1]) == (600, 1500)
    assert list(lengths) == sorted(lengths)
    assert AGENTS * SESSIONS == 72


def test_one_agent_has_the_shortest_prefix() -> None:
    assert prefix_lengths(1) == (600,)


def test_necessary_are_each_prefix_once_and_what_is_new() -> None:
    requests = [first(0), first(0), first(1)]
    assert necessary_tokens(requests, [100, 110]) == 100 + 110 + 20 + 20 + 10


def test_a_perfect_cache_computes_what_is_necessary() -> None:
    samples = samples_of(OURS, [first(0), first(0, cached=100), first(0, cached=100)])
    assert summarize(samples, peers=(), prefix_tokens=[100]).ratio["prompt_tokens"] == 1.0


def test_no_cache_computes_everything_again() -> None:
    samples = samples_of(OURS, [first(0), first(0)])
    assert summarize(samples, peers=(), prefix_tokens=[100]).ratio["prompt_tokens"] == 240 / 140


def test_first_tokens_are_compared_with_the_best_peer() -> None:
    samples = [
        *samples_of(OURS, [first(0, total_s=1.0)]),
        *samples_of("fast", [first(0, total_s=4.0, text="b")]),
        *samples_of("slow", [first(0, total_s=8.0)]),
    ]
    standings = summarize(samples, peers=("fast", "slow"), prefix_tokens=[100])
    assert standings.ratio["first_token_p50"] == 0.25
    assert [standings.peers[name]["equal_to_ours"] for name in ("fast", "slow")] == [0, 1]


def test_each_round_sees_every_agent_for_a_first_time() -> None:
    rounds = [[first(0, total_s=8.0), first(0, total_s=2.0)], [first(0, total_s=6.0)]]
    assert split_by_first_sight(rounds) == ([4.0, 3.0], [1.0])


@pytest.mark.slow
async def test_ours_computes_each_prefix_once(make_setup: MakeSetup) -> None:
    pytest.importorskip("xllamacpp")
    report = await run_switch(make_setup(limit=2, sessions=2, threads=2))
    ratio = report.standings.ratio
    assert {"prompt_tokens", "first_token_p50"} <= ratio.keys()
    computed = ratio["prompt_tokens"]
    assert computed is not None
    assert 0.9 < computed < 1.1
    ours, server = report.standings.ours, report.standings.peers["llama-server"]
    assert ours["requests"] == server["requests"] == 4
    assert ours["prompt_tokens"] == server["prompt_tokens"]
