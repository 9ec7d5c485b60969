from __future__ import annotations

import pytest
from tests.state.sessions.conftest import LEASE_S, Desk, agent, user

from smallhold.exceptions import DatabaseFullError, RunTakenOverError
from smallhold.state.sessions import EntryKind, RunStatus
from smallhold.state.sessions.log import WHOLE_EVERY, Step

STEP: Step = (EntryKind.DECISION, {"v": 1})


async def test_entries_are_numbered_without_gaps_from_one(desk: Desk) -> None:
    await desk.turns("s", ["a", "b"])
    log = await desk.begin("s")
    await log.append(STEP, (EntryKind.CALL_STARTED, {"v": 1, "call": "c"}))
    entries = await desk.store.entries("s")
    assert [entry.seq for entry in entries] == list(range(1, 10))
    assert [entry.kind for entry in entries[-3:]] == ["message", "decision", "call_started"]


async def test_a_run_that_was_taken_over_writes_nothing_more(desk: Desk) -> None:
    stale = await desk.interrupted("s")
    await desk.store.claim(stale.run, lease_s=LEASE_S)
    for write in (
        stale.append(STEP),
        stale.end({"v": 1}, conversation=()),
        stale.fail({"v": 1}),
        stale.wait(),
    ):
        with pytest.raises(RunTakenOverError, match=stale.run):
            await write
    assert [entry.kind for entry in await desk.store.entries("s")] == ["message", "resumed"]


async def test_a_run_that_was_given_up_writes_nothing_more(desk: Desk) -> None:
    stale = await desk.interrupted("s")
    await desk.store.abandon(stale.run)
    with pytest.raises(RunTakenOverError):
        await stale.append(STEP)


async def test_a_run_whose_session_was_deleted_and_made_anew_writes_nothing_more(
    desk: Desk,
) -> None:
    stale = await desk.interrupted("s")
    await desk.store.delete("s")
    await desk.begin("s")
    with pytest.raises(RunTakenOverError):
        await stale.append(STEP)


async def test_an_answer_ends_the_run_and_becomes_part_of_the_conversation(desk: Desk) -> None:
    log = await desk.turn("s", "Hello", "Yes.")
    assert (await desk.store.run(log.run)).status is RunStatus.ENDED
    assert await desk.store.conversation("s") == (user("Hello"), agent("Yes."))


async def test_a_failed_run_leaves_the_conversation_as_it_was_and_the_session_free(
    desk: Desk,
) -> None:
    await desk.turn("s", "a")
    log = await desk.begin("s", "b")
    await log.fail({"v": 1, "error": "DecodeError"})
    assert (await desk.store.run(log.run)).status is RunStatus.FAILED
    assert await desk.store.conversation("s") == (user("a"), agent("Yes."))
    await desk.turn("s", "c")


async def test_a_conversation_is_written_whole_again_after_some_turns(desk: Desk) -> None:
    texts = [str(number) for number in range(WHOLE_EVERY + 3)]
    logs = await desk.turns("s", texts)
    assert max(log.changes for log in logs) <= WHOLE_EVERY
    expected = [message for text in texts for message in (user(text), agent("Yes."))]
    assert list(await desk.store.conversation("s")) == expected
    ended = [e for e in await desk.store.entries("s") if e.kind is EntryKind.ENDED]
    whole = [entry.payload["conversation"] for entry in ended]
    kept = [one["keep"] for one in whole if isinstance(one, dict)]
    assert kept.count(0) == 2


async def test_a_full_disk_is_said_and_the_run_can_be_gone_on_with(desk: Desk) -> None:
    if desk.state.database.address.path is None:
        pytest.skip("a server's disk is not filled by a test")
    log = await desk.begin("s")
    async with desk.state.rows.writing() as rows:
        connection = rows.connection
        await connection.exec_driver_sql("PRAGMA max_page_count = 1")
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
        await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    large: Step = (EntryKind.RESULT, {"v": 1, "text": "x" * 3_000_000})
    with pytest.raises(DatabaseFullError, match="runs can be resumed"):
        await log.append(large)
    log.leave()
    async with desk.state.rows.writing() as rows:
        await rows.connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    resumed = await desk.store.claim(log.run, lease_s=LEASE_S)
    await resumed.append(large)
    assert [e.kind for e in await desk.store.entries("s")] == ["message", "resumed", "result"]
