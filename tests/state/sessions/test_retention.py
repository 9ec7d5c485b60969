from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.state.sessions.conftest import Desk

from smallhold.exceptions import ConfigError, SessionBusyError, UnknownSessionError
from smallhold.state.approvals import ApprovalRequest
from smallhold.state.sessions.retention import LastUse, outdated

DAY_S = 86_400.0
USES = st.lists(st.tuples(st.floats(0, 1_000), st.booleans()), max_size=8).map(
    lambda found: [
        LastUse(session=str(n), updated_s=-age, is_open=is_open)
        for n, (age, is_open) in enumerate(sorted(found))
    ]
)


@given(USES, st.integers(0, 5))
def test_keeping_some_deletes_none_of_those_used_last(uses: list[LastUse], keep: int) -> None:
    gone = outdated(uses, now_s=0, older_than_s=None, keep=keep, unfinished=True)
    assert list(gone) == [use.session for use in uses[keep:]]


@given(USES, st.floats(0, 1_000))
def test_what_was_used_since_is_kept(uses: list[LastUse], older_than_s: float) -> None:
    gone = outdated(uses, now_s=0, older_than_s=older_than_s, keep=None, unfinished=True)
    assert set(gone) == {use.session for use in uses if -use.updated_s >= older_than_s}


@given(USES)
def test_a_session_whose_run_has_not_ended_is_kept_unless_that_is_said(uses: list[LastUse]) -> None:
    gone = outdated(uses, now_s=0, older_than_s=0, keep=None, unfinished=False)
    assert set(gone) == {use.session for use in uses if not use.is_open}


async def test_a_deleted_session_is_gone_with_its_runs_and_approvals(desk: Desk) -> None:
    log = await desk.begin("s")
    request = ApprovalRequest(run=log.run, call_id="c", tool="t", arguments={}, why="", session="s")
    await desk.state.approvals.request(request)
    await log.wait()
    await desk.store.delete("s")
    assert await desk.store.list() == ()
    assert await desk.store.unfinished() == ()
    assert await desk.state.approvals.find(log.run, "c") is None
    assert (await desk.begin("s")).conversation == ()


async def test_a_session_that_is_answering_is_not_deleted(desk: Desk) -> None:
    await desk.begin("s")
    with pytest.raises(SessionBusyError):
        await desk.store.delete("s")
    with pytest.raises(UnknownSessionError):
        await desk.store.delete("t")


async def test_old_sessions_are_pruned(desk: Desk) -> None:
    await desk.turn("old", "a")
    desk.clock.now_s += 2 * DAY_S
    await desk.turn("new", "a")
    assert await desk.store.prune(older_than_s=DAY_S) == ("old",)
    assert [session.id for session in await desk.store.list()] == ["new"]


async def test_sessions_beyond_a_number_are_pruned_but_none_that_is_answering(desk: Desk) -> None:
    await desk.begin("live")
    await desk.interrupted("dead")
    for number in range(3):
        desk.clock.now_s += 1
        await desk.turn(str(number), "a")
    assert await desk.store.prune(keep=1) == ("1", "0")
    assert await desk.store.prune(keep=0, unfinished=True) == ("2", "dead")
    assert [session.id for session in await desk.store.list()] == ["live"]


async def test_pruning_needs_a_limit(desk: Desk) -> None:
    with pytest.raises(ConfigError, match="older_than_s"):
        await desk.store.prune()
    for limits in ({"keep": -1}, {"older_than_s": float("nan")}):
        with pytest.raises(ConfigError, match="at least 0"):
            await desk.store.prune(**limits)  # pyright: ignore[reportArgumentType] - bad on purpose
