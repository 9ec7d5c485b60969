from __future__ import annotations

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.state.sessions.conftest import Desk, agent, asked, user

from smallhold.exceptions import SessionBusyError, UnknownRunError, UnknownSessionError
from smallhold.state.sessions import new_run_id
from smallhold.state.sessions.claims import TITLE_CHARS, title_of


async def test_sessions_are_listed_with_the_one_that_was_used_last_first(desk: Desk) -> None:
    for name in ("a", "b", "c"):
        await desk.turn(name, f"I am {name}")
        desk.clock.now_s += 1
    await desk.turn("a", "Once more")
    found = await desk.store.list()
    assert [one.id for one in found] == ["a", "c", "b"]
    assert (found[0].title, found[0].turns, found[0].entries) == ("I am a", 2, 6)
    assert [one.id for one in await desk.store.list(limit=1)] == ["a"]


async def test_what_does_not_exist_is_said_not_to_exist(desk: Desk) -> None:
    store = desk.store
    for work in (store.get("s"), store.runs("s"), store.entries("s"), store.conversation("s")):
        with pytest.raises(UnknownSessionError, match="'s'"):
            await work
    await desk.turn("s", "a")
    with pytest.raises(UnknownRunError):
        await store.entries("s", run="r")


async def test_the_runs_of_a_session_are_in_order(desk: Desk) -> None:
    logs = await desk.turns("s", ["a", "b", "c"])
    assert [run.id for run in await desk.store.runs("s")] == [log.run for log in logs]


async def test_the_entries_of_one_run_are_read_alone(desk: Desk) -> None:
    logs = await desk.turns("s", ["a", "b"])
    entries = await desk.store.entries("s", run=logs[0].run)
    assert [entry.seq for entry in entries] == [1, 2, 3]


async def test_runs_that_have_not_ended_are_found_in_all_sessions(desk: Desk) -> None:
    await desk.turn("done", "a")
    live, interrupted, waiting = [await desk.begin(name) for name in ("live", "dead", "waits")]
    interrupted.leave()
    await waiting.wait()
    found = {run.id: (run.is_live, run.is_interrupted) for run in await desk.store.unfinished()}
    assert found == {
        live.run: (True, False),
        interrupted.run: (False, True),
        waiting.run: (False, False),
    }


async def test_tenants_have_sessions_of_the_same_id_apart(desk: Desk) -> None:
    other = desk.state.for_tenant("other").sessions
    await desk.turn("s", "mine")
    log = await other.accept("s", asked("theirs"), lease_s=60)
    assert log.conversation == ()
    await log.end({"v": 1}, conversation=(user("theirs"),))
    assert await desk.store.conversation("s") == (user("mine"), agent("Yes."))
    assert await other.conversation("s") == (user("theirs"),)


async def test_of_two_who_begin_at_once_one_is_refused_and_nothing_is_lost(desk: Desk) -> None:
    begun: list[str] = []
    refused: list[SessionBusyError] = []

    async def begin(text: str) -> None:
        try:
            begun.append((await desk.begin("s", text)).run)
        except SessionBusyError as error:
            refused.append(error)

    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(begin, str(number))
    assert (len(begun), len(refused)) == (1, 4)
    assert [entry.run for entry in await desk.store.entries("s")] == begun


def test_ids_of_runs_are_all_different_and_sort_by_age() -> None:
    ids = [new_run_id() for _ in range(200)]
    assert len(set(ids)) == 200
    assert [one[:12] for one in ids] == sorted(one[:12] for one in ids)


@given(st.text(max_size=300))
def test_a_title_is_one_line_of_limited_length(text: str) -> None:
    title = title_of(asked(text))
    assert len(title) <= TITLE_CHARS
    assert "\n" not in title


def test_a_payload_without_a_message_has_no_title() -> None:
    assert title_of({"v": 1}) == title_of({"v": 1, "message": {"content": 3}}) == ""
