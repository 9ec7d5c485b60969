"""Promises of `smallhold.evals.bench.rounds`: this file holds tests of the order of turns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.evals.bench.contestants import Contestant
from smallhold.evals.bench.rounds import (
    Course,
    Turn,
    play,
    turns,
    values_by_round,
    values_of,
)
from smallhold.exceptions import DecodeError

if TYPE_CHECKING:
    from tests.evals.bench.conftest import Recorder

pytestmark = pytest.mark.anyio

MakeRecorder: TypeAlias = "Callable[[], Recorder]"

names = st.lists(st.sampled_from("abcdef"), min_size=1, unique=True)


def ignore(turn: Turn) -> None:
    del turn


async def name_of_turn(contestant: Contestant, turn: Turn) -> str:
    del contestant
    return f"{turn.name}{turn.round}{turn.item}"


def course(*, rounds: int, items: int, starts_afresh: bool) -> Course:
    return Course(rounds=rounds, items=items, starts_afresh=starts_afresh, on_turn=ignore)


@given(names, st.integers(0, 9), st.integers(1, 9))
def test_everyone_has_a_turn_at_an_item_before_the_next_one(
    entered: list[str], number: int, items: int
) -> None:
    order = list(turns(entered, round=number, items=items))
    for item in range(items):
        of_item = order[item * len(entered) : (item + 1) * len(entered)]
        assert {turn.item for turn in of_item} == {item}
        assert sorted(turn.name for turn in of_item) == sorted(entered)


@given(names)
def test_everyone_is_first_equally_often(entered: list[str]) -> None:
    rounds = [list(turns(entered, round=number, items=1)) for number in range(len(entered))]
    assert Counter(order[0].name for order in rounds) == dict.fromkeys(entered, 1)


def test_two_contestants_change_places_each_round() -> None:
    firsts = [next(turns(("ours", "peer"), round=number, items=1)).name for number in range(4)]
    assert firsts == ["ours", "peer", "ours", "peer"]


async def test_contestants_that_start_afresh_are_restarted_for_each_round(
    make_recorder: MakeRecorder,
) -> None:
    recorder = make_recorder()
    plan = course(rounds=2, items=1, starts_afresh=True)
    await play({"ours": recorder}, name_of_turn, course=plan)
    assert recorder.events == ["stop", "start", "stop", "start", "stop"]


async def test_contestants_that_stay_are_started_once(make_recorder: MakeRecorder) -> None:
    recorder = make_recorder()
    plan = course(rounds=3, items=2, starts_afresh=False)
    await play({"ours": recorder}, name_of_turn, course=plan)
    assert recorder.events == ["stop", "start", "stop"]


async def test_measurements_are_kept_by_contestant_and_round(make_recorder: MakeRecorder) -> None:
    plan = course(rounds=2, items=2, starts_afresh=False)
    samples = await play({"a": make_recorder(), "b": make_recorder()}, name_of_turn, course=plan)
    assert values_of(samples, "b") == ["b00", "b01", "b10", "b11"]
    assert values_by_round(samples, "a") == [["a00", "a01"], ["a10", "a11"]]


async def test_everyone_is_stopped_when_a_measurement_fails(make_recorder: MakeRecorder) -> None:
    async def fail(contestant: Contestant, turn: Turn) -> None:
        del contestant, turn
        raise DecodeError(problem="no memory")

    entered = {"a": make_recorder(), "b": make_recorder()}
    with pytest.raises(DecodeError):
        await play(entered, fail, course=course(rounds=1, items=1, starts_afresh=False))
    assert [recorder.events[-1] for recorder in entered.values()] == ["stop", "stop"]


async def test_progress_hears_of_every_turn(make_recorder: MakeRecorder) -> None:
    heard: list[Turn] = []
    plan = Course(rounds=2, items=3, starts_afresh=False, on_turn=heard.append)
    await play({"a": make_recorder(), "b": make_recorder()}, name_of_turn, course=plan)
    assert len(heard) == 12
