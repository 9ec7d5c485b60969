from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import update
from tests.state.sessions.conftest import LEASE_S, Desk, agent, user

from smallhold.exceptions import (
    ConfigError,
    NewerFormatError,
    QuarantinedSessionError,
    RunNotResumableError,
    SessionBusyError,
    UnfinishedRunError,
    UnknownRunError,
    WrongKeyError,
)
from smallhold.security import KeyRing
from smallhold.state import Database, State
from smallhold.state.sessions import EntryKind, RunStatus, session_of_run, this_process
from smallhold.state.tables import ENTRIES, RUNS, SESSIONS

BEGIN = """
import sys, anyio
from smallhold.state import State
async def main():
    state = State(sys.argv[1])
    payload = {"v": 1, "message": {"role": "user", "content": "Hello"}}
    log = await state.sessions.accept("s", payload, lease_s=3600.0)
    print(log.run, flush=True)
    sys.stdin.readline()
anyio.run(main)
"""


async def test_a_message_is_stored_when_it_is_accepted(desk: Desk) -> None:
    log = await desk.begin("s", "Where is my order?")
    run = await desk.store.run(log.run)
    assert (run.status, run.is_live, run.session) == (RunStatus.RUNNING, True, "s")
    (entry,) = await desk.store.entries("s")
    assert (entry.kind, entry.run) == (EntryKind.MESSAGE, log.run)


async def test_a_run_finds_the_conversation_before_it(desk: Desk) -> None:
    await desk.turns("s", ["a", "b"])
    log = await desk.begin("s", "c")
    assert log.conversation == (user("a"), agent("Yes."), user("b"), agent("Yes."))


async def test_a_message_that_stands_alone_has_a_session_named_after_its_run(desk: Desk) -> None:
    one, other = await desk.begin(None), await desk.begin(None)
    assert one.session == session_of_run(one.run)
    assert other.session != one.session


async def test_a_session_that_is_answering_takes_no_other_message(desk: Desk) -> None:
    await desk.begin("s")
    with pytest.raises(SessionBusyError, match="'s'"):
        await desk.begin("s")
    await desk.begin("other")


async def test_a_session_with_an_interrupted_run_says_which_and_what_to_do(desk: Desk) -> None:
    log = await desk.interrupted("s")
    with pytest.raises(UnfinishedRunError) as caught:
        await desk.begin("s")
    assert caught.value.run == log.run
    for remedy in (f"agent.resume({log.run!r})", f"sessions.abandon({log.run!r})"):
        assert remedy in str(caught.value)


async def test_a_session_that_waits_for_an_approval_says_so(desk: Desk) -> None:
    log = await desk.begin("s")
    await log.wait()
    with pytest.raises(UnfinishedRunError, match="waits for an approval"):
        await desk.begin("s")


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 129])
async def test_a_session_needs_an_id_that_can_be_stored(desk: Desk, name: str) -> None:
    with pytest.raises(ConfigError, match="session"):
        await desk.begin(name)


async def test_an_interrupted_run_is_gone_on_with_from_its_entries(desk: Desk) -> None:
    await desk.turn("s", "a")
    log = await desk.begin("s", "b")
    await log.append((EntryKind.DECISION, {"v": 1}))
    log.leave()
    resumed = await desk.store.claim(log.run, lease_s=LEASE_S)
    assert [entry.kind for entry in resumed.entries] == ["message", "decision"]
    assert resumed.conversation == (user("a"), agent("Yes."))
    await resumed.end({"v": 1}, conversation=(*resumed.conversation, user("b"), agent("B")))
    assert (await desk.store.conversation("s"))[-1] == agent("B")


async def test_a_run_can_be_gone_on_with_by_one_only(desk: Desk) -> None:
    log = await desk.interrupted("s")
    await desk.store.claim(log.run, lease_s=LEASE_S)
    with pytest.raises(SessionBusyError):
        await desk.store.claim(log.run, lease_s=LEASE_S)
    with pytest.raises(SessionBusyError):
        await desk.store.abandon(log.run)


async def test_a_run_that_has_ended_is_not_gone_on_with(desk: Desk) -> None:
    log = await desk.turn("s", "a")
    with pytest.raises(RunNotResumableError, match="has ended"):
        await desk.store.claim(log.run, lease_s=LEASE_S)
    with pytest.raises(RunNotResumableError):
        await desk.store.abandon(log.run)


async def test_a_failed_run_can_be_gone_on_with_until_another_follows(desk: Desk) -> None:
    first = await desk.begin("s", "a")
    await first.fail({"v": 1, "error": "DecodeError"})
    resumed = await desk.store.claim(first.run, lease_s=LEASE_S)
    await resumed.fail({"v": 1, "error": "DecodeError"})
    await desk.turn("s", "b")
    with pytest.raises(RunNotResumableError, match="gone on without it"):
        await desk.store.claim(first.run, lease_s=LEASE_S)


async def test_giving_a_run_up_frees_the_session_and_cannot_be_undone(desk: Desk) -> None:
    await desk.turn("s", "a")
    log = await desk.interrupted("s", "b")
    assert (await desk.store.abandon(log.run)).status is RunStatus.ABANDONED
    with pytest.raises(RunNotResumableError, match="given up"):
        await desk.store.claim(log.run, lease_s=LEASE_S)
    assert (await desk.begin("s")).conversation == (user("a"), agent("Yes."))


async def test_an_unknown_run_is_said_to_be_unknown(desk: Desk) -> None:
    for work in (desk.store.claim("r", lease_s=1), desk.store.abandon("r"), desk.store.run("r")):
        with pytest.raises(UnknownRunError, match="'r'"):
            await work


async def test_a_session_of_a_newer_version_is_refused_by_name(desk: Desk) -> None:
    log = await desk.turn("s", "a")
    async with desk.state.rows.writing() as rows:
        await rows.execute(update(SESSIONS).values(format=7))
    for work in (
        desk.begin("s"),
        desk.store.entries("s"),
        desk.store.conversation("s"),
        desk.store.export_lines("s"),
        desk.store.branch("s", to="t"),
    ):
        with pytest.raises(NewerFormatError, match=r"'s' was written by a newer version.*7"):
            await work
    assert (await desk.store.run(log.run)).status is RunStatus.ENDED


async def test_a_damaged_entry_sets_its_session_apart_and_no_other(desk: Desk) -> None:
    await desk.turns("s", ["a", "b"])
    await desk.turn("other", "a")
    async with desk.state.rows.writing() as rows:
        where = (ENTRIES.c.session == "s") & (ENTRIES.c.seq == 3)
        await rows.execute(update(ENTRIES).where(where).values(payload=b"\x00damaged"))
    for _ in range(2):
        with pytest.raises(QuarantinedSessionError, match="'s'"):
            await desk.begin("s")
    assert (await desk.store.get("s")).is_quarantined
    await desk.turn("other", "b")
    assert not (await desk.store.get("other")).is_quarantined


async def test_a_wrong_key_is_no_damage(tmp_path: Path) -> None:
    place = tmp_path / "state.db"
    right = State(place, keys=KeyRing({"a": bytes(32)}))
    log = await right.sessions.accept(
        "s", {"v": 1, "message": {"role": "user", "content": "x"}}, lease_s=LEASE_S
    )
    await log.end({"v": 1}, conversation=())
    await right.aclose()
    wrong = State(place, keys=KeyRing({"a": bytes(31) + b"x"}))
    with pytest.raises(WrongKeyError):
        await wrong.sessions.conversation("s")
    await wrong.aclose()
    again = State(place, keys=KeyRing({"a": bytes(32)}))
    assert await again.sessions.conversation("s") == ()
    await again.aclose()


async def test_a_run_of_another_machine_is_its_own_until_the_lease_is_over(desk: Desk) -> None:
    log = await desk.interrupted("s")
    address = desk.state.database.address
    space = "1" if address.is_sqlite else "x"
    boot = this_process().boot if address.is_sqlite else "elsewhere"
    async with desk.state.rows.writing() as rows:
        await rows.execute(update(RUNS).values(owner=f"{boot}/{space}/1/1"))
    with pytest.raises(SessionBusyError):
        await desk.store.claim(log.run, lease_s=LEASE_S)
    async with desk.state.rows.writing() as rows:
        await rows.execute(update(RUNS).values(lease_until_s=0.0))
    assert (await desk.store.claim(log.run, lease_s=LEASE_S)).epoch == 2


async def test_a_clock_that_jumps_takes_no_run_from_its_process(desk: Desk) -> None:
    log = await desk.begin("s")
    desk.clock.now_s += 10_000_000.0
    with pytest.raises(SessionBusyError):
        await desk.begin("s")
    desk.clock.now_s = 0.0
    with pytest.raises(SessionBusyError):
        await desk.store.claim(log.run, lease_s=LEASE_S)
    await log.end({"v": 1}, conversation=())


@pytest.fixture
def beginner(tmp_path: Path) -> subprocess.Popen[str]:
    """A process that begins a run in `state.db` and prints its id."""
    return subprocess.Popen(
        [sys.executable, "-c", BEGIN, str(tmp_path / "state.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


async def test_a_run_whose_process_was_killed_can_be_gone_on_with_at_once(
    tmp_path: Path, beginner: subprocess.Popen[str]
) -> None:
    place, process = tmp_path / "state.db", beginner
    assert process.stdout is not None
    run = process.stdout.readline().strip()
    state = State(Database(place))
    with pytest.raises(SessionBusyError):
        await state.sessions.claim(run, lease_s=LEASE_S)
    process.kill()
    process.communicate()
    assert [one.is_interrupted for one in await state.sessions.unfinished()] == [True]
    assert (await state.sessions.claim(run, lease_s=LEASE_S)).run == run
    await state.database.aclose()
