from __future__ import annotations

import pytest
from tests.state.sessions.conftest import LEASE_S, Desk, agent, user

from smallhold.exceptions import (
    ConfigError,
    RunNotResumableError,
    SessionBusyError,
    SessionExistsError,
    UnfinishedRunError,
    UnknownRunError,
    UnknownSessionError,
)
from smallhold.state.sessions import EntryKind, RunStatus
from smallhold.state.sessions.branching import runs_in


async def test_a_branch_goes_on_by_itself(desk: Desk) -> None:
    await desk.turns("s", ["a", "b"])
    branch = await desk.store.branch("s", to="t")
    assert (branch.parent, branch.parent_seq, branch.title) == ("s", 6, "a")
    await desk.turn("t", "c")
    await desk.turn("s", "d")
    assert (await desk.store.conversation("t"))[-2] == user("c")
    assert (await desk.store.conversation("s"))[-2] == user("d")


async def test_a_branch_ends_at_the_entry_or_run_that_was_named(desk: Desk) -> None:
    first, _ = await desk.turns("s", ["a", "b"])
    await desk.store.branch("s", to="by-seq", at=3)
    await desk.store.branch("s", to="by-run", at=first.run)
    for name in ("by-seq", "by-run"):
        assert await desk.store.conversation(name) == (user("a"), agent("Yes."))


@pytest.mark.parametrize("at", range(1, 10))
async def test_a_session_branched_at_any_entry_can_be_gone_on_with(desk: Desk, at: int) -> None:
    await desk.turns("s", ["a", "b", "c"])
    branch = await desk.store.branch("s", to="t", at=at)
    ended = at // 3
    if at % 3:
        assert branch.open_run is not None
        log = await desk.store.claim(branch.open_run, lease_s=LEASE_S)
        assert len(log.conversation) == 2 * ended
        assert [e.kind for e in log.entries] == ["message", "decision"][: at % 3]
        await log.end({"v": 1}, conversation=(*log.conversation, user("x"), agent("y")))
    else:
        assert branch.open_run is None
        assert len((await desk.begin("t")).conversation) == 2 * ended


async def test_runs_of_a_branch_are_runs_of_their_own(desk: Desk) -> None:
    log = await desk.interrupted("s")
    branch = await desk.store.branch("s", to="t")
    assert branch.open_run not in {None, log.run}
    await desk.store.abandon(log.run)
    assert (await desk.store.run(str(branch.open_run))).is_interrupted


async def test_a_given_up_run_stays_given_up_in_a_branch(desk: Desk) -> None:
    log = await desk.interrupted("s")
    await desk.store.abandon(log.run)
    branch = await desk.store.branch("s", to="t")
    assert branch.open_run is None
    (run,) = await desk.store.runs("t")
    assert run.status is RunStatus.ABANDONED
    with pytest.raises(RunNotResumableError):
        await desk.store.claim(run.id, lease_s=LEASE_S)


async def test_a_branch_before_the_damage_saves_a_session_that_was_set_apart(desk: Desk) -> None:
    await desk.turns("s", ["a", "b"])
    await desk.store.branch("s", to="t", at=3)
    assert await desk.store.conversation("t") == (user("a"), agent("Yes."))


async def test_a_branch_of_nothing_or_over_another_session_is_refused(desk: Desk) -> None:
    await desk.turn("s", "a")
    other = await desk.turn("other", "a")
    with pytest.raises(UnknownSessionError):
        await desk.store.branch("nothing", to="t")
    with pytest.raises(SessionExistsError, match="'other'"):
        await desk.store.branch("s", to="other")
    with pytest.raises(UnknownRunError):
        await desk.store.branch("s", to="t", at=other.run)
    for at in (0, 4, -1):
        with pytest.raises(ConfigError, match="1 to 3"):
            await desk.store.branch("s", to="t", at=at)


async def test_a_message_that_is_edited_begins_a_run_from_where_it_was(desk: Desk) -> None:
    await desk.turns("s", ["a", "b", "c"])
    run = await desk.store.edit("s", at=4, text="B")
    assert run.is_interrupted
    log = await desk.store.claim(run.id, lease_s=LEASE_S)
    assert log.conversation == (user("a"), agent("Yes."))
    message = log.entries[0].payload["message"]
    assert isinstance(message, dict)
    assert message["content"] == "B"
    await log.end({"v": 1}, conversation=(*log.conversation, user("B"), agent("new")))
    assert [m.content for m in await desk.store.conversation("s")] == ["a", "Yes.", "B", "new"]


async def test_an_edit_keeps_what_happened_in_the_log(desk: Desk) -> None:
    await desk.turns("s", ["a", "b"])
    before = await desk.store.entries("s")
    await desk.store.edit("s", at=1, text="A")
    after = await desk.store.entries("s")
    assert after[: len(before)] == before
    assert [entry.kind for entry in after[len(before) :]] == ["edited", "message"]


async def test_an_edited_session_can_be_edited_again(desk: Desk) -> None:
    await desk.turn("s", "a")
    for text in ("b", "c"):
        run = await desk.store.edit("s", at=1, text=text)
        log = await desk.store.claim(run.id, lease_s=LEASE_S)
        await log.end({"v": 1}, conversation=(user(text), agent("ok")))
    assert await desk.store.conversation("s") == (user("c"), agent("ok"))


async def test_only_a_message_of_a_session_at_rest_can_be_edited(desk: Desk) -> None:
    await desk.turn("s", "a")
    for at in (2, 3, 9):
        with pytest.raises(ConfigError, match="user's message"):
            await desk.store.edit("s", at=at, text="b")
    with pytest.raises(ConfigError, match="text"):
        await desk.store.edit("s", at=1, text=" ")
    log = await desk.begin("s", "b")
    with pytest.raises(SessionBusyError):
        await desk.store.edit("s", at=1, text="b")
    log.leave()
    with pytest.raises(UnfinishedRunError):
        await desk.store.edit("s", at=1, text="b")


async def test_where_each_run_of_a_log_stands_is_read_from_its_last_entry(desk: Desk) -> None:
    await desk.turn("s", "a")
    failed = await desk.begin("s", "b")
    await failed.fail({"v": 1, "error": "DecodeError"})
    await desk.interrupted("s", "c")
    found = runs_in(await desk.store.entries("s"))
    assert [status for _, status in found.values()] == ["ended", "failed", "running"]
    assert all(entry.kind is EntryKind.MESSAGE for entry, _ in found.values())
