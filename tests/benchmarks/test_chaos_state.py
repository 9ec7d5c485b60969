"""Promises of `benchmarks/chaos_state.py`: this file holds a short chaos run, and its judge."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.chaos.judging import Point, judged, point_of
from benchmarks.chaos.populating import populate, session_id
from benchmarks.chaos.scenario import Ledger
from benchmarks.chaos_state import IDEMPOTENT, hold_chaos
from benchmarks.state_costs import open_ms, step_ms

from smallhold.messages import JsonObject
from smallhold.state import State
from smallhold.state.sessions import Entry, EntryKind

CALL: JsonObject = {"id": "c", "name": "charge", "arguments": {}}


def entry(kind: EntryKind, payload: JsonObject | None = None) -> Entry:
    return Entry(seq=1, run="r", kind=kind, created_s=0, payload={"v": 1, **(payload or {})})


DECISION = entry(
    EntryKind.DECISION,
    {"calls": [{"call": CALL}], "conversation": {"keep": 0, "then": []}, "progress": {}},
)
STARTED = entry(EntryKind.CALL_STARTED, {"call": "c"})
RESULT = entry(
    EntryKind.RESULT,
    {"step": {"call": CALL, "content": "", "error": False, "ran": True}, "progress": {}},
)
ENDED = entry(EntryKind.ENDED)


def test_ten_kills_lose_nothing_repeat_nothing_and_leave_nothing_unfinished(
    tmp_path: Path,
) -> None:
    report = hold_chaos(tmp_path, kills=10, seed=7)
    assert report.kills == 10
    assert report.judgement.lost == ()
    assert report.judgement.repeated == ()
    assert report.judgement.unfinished == ()
    assert report.runs > report.interrupted == report.resumed > 0
    assert sum(report.points.values()) == 10


@pytest.mark.parametrize(
    ("entries", "effects", "point"),
    [
        ([], [], Point.BETWEEN_RUNS),
        ([entry(EntryKind.MESSAGE)], [], Point.DECIDING),
        ([STARTED], [], Point.STARTED),
        ([STARTED], [("charge", "1", "r-c")], Point.DONE),
        ([RESULT], [], Point.RESULT),
        ([entry(EntryKind.RESUMED)], [], Point.RESUMING),
    ],
)
def test_where_a_kill_struck_is_read_from_what_it_left(
    entries: list[Entry], effects: list[tuple[str, ...]], point: Point
) -> None:
    assert point_of(entries, effects) is point


def test_a_step_that_was_seen_and_is_not_there_is_lost() -> None:
    seen = [("call", "r", "c"), ("result", "r", "c"), ("done", "r")]
    effects = [("charge", "1", "r-c")]
    whole = judged(
        {"r": [DECISION, RESULT, ENDED]}, effects=effects, seen=seen, idempotent=IDEMPOTENT
    )
    assert (whole.lost, whole.unfinished) == ((), ())
    for missing in range(3):
        kept = [one for number, one in enumerate([DECISION, RESULT, ENDED]) if number != missing]
        found = judged({"r": kept}, effects=effects, seen=seen, idempotent=IDEMPOTENT)
        assert len(found.lost) == 1


def test_a_stored_result_without_its_effect_is_lost() -> None:
    found = judged({"r": [DECISION, RESULT, ENDED]}, effects=[], seen=[], idempotent=IDEMPOTENT)
    assert found.lost == ("effect r c",)


@pytest.mark.parametrize(
    ("effects", "repeated"),
    [
        ([("charge", "1", "r-a"), ("charge", "1", "r-a")], 1),
        ([("charge", "1", "r-a"), ("charge", "2", "r-b")], 0),
        ([("note", "1", "r-a"), ("note", "1", "r-a")], 0),
        ([("note", "1", "r-a"), ("note", "1", "q-a")], 1),
    ],
)
def test_an_effect_may_be_repeated_by_an_idempotent_tool_under_its_key_alone(
    effects: list[tuple[str, ...]], repeated: int
) -> None:
    found = judged({}, effects=effects, seen=[], idempotent=IDEMPOTENT)
    assert len(found.repeated) == repeated


def test_a_ledger_keeps_every_line(tmp_path: Path) -> None:
    ledger = Ledger(path=tmp_path / "effects.log")
    assert ledger.lines() == ()
    ledger.note("charge", "1", "key")
    ledger.note("note", "2", "key")
    assert ledger.lines() == (("charge", "1", "key"), ("note", "2", "key"))


async def test_sessions_written_at_once_are_those_that_the_store_reads(tmp_path: Path) -> None:
    state = State(tmp_path / "state.db")
    await populate(state, sessions=3, turns=4)
    session = await state.sessions.get(session_id(1))
    assert (session.turns, session.entries) == (4, 8)
    assert len(await state.sessions.conversation(session_id(2))) == 8
    lines = await state.sessions.export_lines(session_id(0))
    assert (await state.sessions.import_lines(lines, to="copy")).turns == 4
    assert len(await open_ms(state, sessions=3, samples=2, seed=1)) == 2
    assert len(await step_ms(state, samples=2)) == 2
    await state.aclose()
