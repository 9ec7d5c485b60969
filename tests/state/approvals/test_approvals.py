from __future__ import annotations

import sys
from pathlib import Path

import anyio
import pytest
from anyio.abc import TaskGroup
from tests.state.conftest import KEYS
from tests.state.set_clock import SetClock

from smallhold.exceptions import (
    ApprovalDecidedError,
    ApprovalExpiredError,
    ApprovalMismatchError,
    ConfigError,
    UnknownApprovalError,
)
from smallhold.messages import JsonObject
from smallhold.state import Database, State
from smallhold.state.approvals import Approval, ApprovalRequest, Approvals, ApprovalStatus

NOW_S = 1_700_000_000.0
HOUR_S = 3_600.0


def wanted(
    call_id: str = "c1",
    *,
    run: str = "r1",
    arguments: JsonObject | None = None,
    session: str | None = None,
    expires_s: float | None = None,
) -> ApprovalRequest:
    return ApprovalRequest(
        run=run,
        session=session,
        call_id=call_id,
        tool="refund",
        arguments={"order": 1042} if arguments is None else arguments,
        why="It moves money.",
        expires_s=expires_s,
    )


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW_S)


@pytest.fixture
def approvals(state: State, clock: SetClock) -> Approvals:
    return Approvals(state.rows, clock=clock)


async def test_a_request_waits_with_all_that_a_person_must_see(approvals: Approvals) -> None:
    asked = await approvals.request(wanted(session="kiosk-7", expires_s=NOW_S + HOUR_S))
    assert await approvals.get(asked.id) == asked
    assert asked.status is ApprovalStatus.PENDING
    assert (asked.tool, asked.arguments, asked.why) == (
        "refund", {"order": 1042}, "It moves money.",
    )  # fmt: skip
    assert await approvals.find("r1", "c1") == asked


async def test_asking_twice_for_the_same_call_gives_the_same_request(approvals: Approvals) -> None:
    first = await approvals.request(wanted())
    assert await approvals.request(wanted()) == first
    assert len(await approvals.pending()) == 1


async def test_asking_again_after_the_decision_gives_the_decision(approvals: Approvals) -> None:
    asked = await approvals.request(wanted())
    await approvals.deny(asked.id, by="Ada")
    assert (await approvals.request(wanted())).status is ApprovalStatus.DENIED


async def test_the_same_call_with_other_arguments_is_refused(approvals: Approvals) -> None:
    await approvals.request(wanted())
    with pytest.raises(ApprovalMismatchError):
        await approvals.request(wanted(arguments={"order": 1}))


async def test_a_request_is_undone_with_the_transaction_that_it_is_part_of(
    state: State, approvals: Approvals
) -> None:
    async def ask_and_fail() -> None:
        async with state.rows.writing() as connection:
            await approvals.request(wanted(), connection=connection)
            raise KeyError

    with pytest.raises(KeyError):
        await ask_and_fail()
    assert await approvals.pending() == ()


async def test_a_request_outlives_the_process(database: Database, approvals: Approvals) -> None:
    asked = await approvals.request(wanted())
    await database.aclose()
    assert await approvals.get(asked.id) == asked


async def test_an_approved_an_edited_and_a_denied_call_read_back(approvals: Approvals) -> None:
    ids = [(await approvals.request(wanted(call))).id for call in ("c1", "c2", "c3")]
    await approvals.approve(ids[0], by="Ada", comment="Fine.")
    await approvals.edit(ids[1], {"order": 7}, by="Ada")
    await approvals.deny(ids[2], by="Ada", comment="Too much.")
    yes, edited, no = [await approvals.get(key) for key in ids]
    assert (yes.status, yes.comment, yes.decided_s) == ("approved", "Fine.", NOW_S)
    assert (edited.status, edited.effective_arguments) == ("approved", {"order": 7})
    assert (no.status, no.comment, no.decided_by) == ("denied", "Too much.", "Ada")
    assert await approvals.pending() == ()


async def test_deciding_twice_is_an_error_and_changes_nothing(approvals: Approvals) -> None:
    asked = await approvals.request(wanted())
    first = await approvals.approve(asked.id, by="Ada")
    with pytest.raises(ApprovalDecidedError, match="by Ada"):
        await approvals.deny(asked.id, by="Grace")
    assert await approvals.get(asked.id) == first


async def test_a_yes_to_other_arguments_than_were_shown_changes_nothing(
    approvals: Approvals,
) -> None:
    asked = await approvals.request(wanted())
    with pytest.raises(ApprovalMismatchError):
        await approvals.approve(asked.id, by="Ada", arguments_hash="f" * 64)
    assert await approvals.get(asked.id) == asked
    done = await approvals.approve(asked.id, by="Ada", arguments_hash=asked.arguments_hash)
    assert done.status is ApprovalStatus.APPROVED


async def test_a_request_that_does_not_exist_is_named(approvals: Approvals) -> None:
    with pytest.raises(UnknownApprovalError, match="nothing-here"):
        await approvals.get("nothing-here")
    with pytest.raises(UnknownApprovalError, match="nothing-here"):
        await approvals.approve("nothing-here", by="Ada")
    assert await approvals.find("r1", "c1") is None


async def test_edited_arguments_must_be_json(approvals: Approvals) -> None:
    asked = await approvals.request(wanted())
    with pytest.raises(ConfigError, match="plain JSON"):
        await approvals.edit(asked.id, {"order": float("nan")}, by="Ada")


async def test_an_expired_request_cannot_be_decided(approvals: Approvals, clock: SetClock) -> None:
    asked = await approvals.request(wanted(expires_s=NOW_S + HOUR_S))
    clock.now_s += 2 * HOUR_S
    with pytest.raises(ApprovalExpiredError, match="3,600 s ago"):
        await approvals.approve(asked.id, by="Ada")
    assert (await approvals.get(asked.id)).status is ApprovalStatus.EXPIRED
    assert await approvals.pending() == ()


@pytest.mark.parametrize("seen_by", ["get", "find", "pending", "history", "request", "decide"])
async def test_a_clock_set_back_does_not_revive_what_was_seen_to_expire(
    approvals: Approvals, clock: SetClock, seen_by: str
) -> None:
    asked = await approvals.request(wanted(expires_s=NOW_S + HOUR_S))
    clock.now_s += 2 * HOUR_S
    match seen_by:
        case "get":
            await approvals.get(asked.id)
        case "find":
            await approvals.find("r1", "c1")
        case "pending":
            await approvals.pending()
        case "history":
            await approvals.history()
        case "request":
            await approvals.request(wanted())
        case _:
            with pytest.raises(ApprovalExpiredError):
                await approvals.deny(asked.id, by="Ada")
    clock.now_s = NOW_S + 1
    with pytest.raises(ApprovalExpiredError):
        await approvals.approve(asked.id, by="Ada")
    assert (await approvals.get(asked.id)).status is ApprovalStatus.EXPIRED


async def test_a_jump_of_the_clock_is_noted_beside_what_it_let_expire(
    state: State, clock: SetClock
) -> None:
    monotonic = SetClock(5.0)
    approvals = Approvals(state.rows, clock=clock, monotonic=monotonic)
    asked = await approvals.request(wanted(expires_s=NOW_S + HOUR_S))
    clock.now_s += 10 * HOUR_S
    monotonic.now_s += 1.0
    gone = await approvals.get(asked.id)
    assert gone.status is ApprovalStatus.EXPIRED
    assert "ahead of this process" in (gone.comment or "")


async def test_what_is_decided_before_it_is_seen_to_expire_keeps_its_decision(
    approvals: Approvals, clock: SetClock
) -> None:
    asked = await approvals.request(wanted(expires_s=NOW_S + HOUR_S))
    await approvals.approve(asked.id, by="Ada")
    clock.now_s += 2 * HOUR_S
    assert (await approvals.get(asked.id)).status is ApprovalStatus.APPROVED


async def test_of_two_who_decide_at_once_exactly_one_wins(
    database: Database, approvals: Approvals
) -> None:
    asked = await approvals.request(wanted())
    outcomes: list[str] = []
    other = Approvals(State(database).rows, clock=SetClock(NOW_S))

    async def decide(store: Approvals, name: str, group: TaskGroup) -> None:
        del group
        try:
            await store.approve(asked.id, by=name)
            outcomes.append(name)
        except ApprovalDecidedError:
            outcomes.append("late")

    async with anyio.create_task_group() as group:
        for number in range(4):
            store = approvals if number % 2 else other
            group.start_soon(decide, store, f"person {number}", group)
    assert sorted(outcomes)[:3] == ["late"] * 3
    assert (await approvals.get(asked.id)).decided_by in outcomes


async def test_what_waits_is_listed_by_age_and_by_session(
    approvals: Approvals, clock: SetClock
) -> None:
    for number, session in enumerate(("a", "b", "a")):
        clock.now_s = NOW_S + number
        await approvals.request(wanted(f"c{number}", session=session))
    assert [item.call_id for item in await approvals.pending()] == ["c0", "c1", "c2"]
    assert [item.call_id for item in await approvals.pending("a")] == ["c0", "c2"]
    assert [item.call_id for item in await approvals.history(session="a")] == ["c0", "c2"]
    assert [item.call_id for item in await approvals.history(run="r1", limit=2)] == ["c1", "c2"]
    assert await approvals.history(run="another") == ()


async def test_a_deleted_session_takes_its_requests_along(approvals: Approvals) -> None:
    await approvals.request(wanted("c1", session="a"))
    await approvals.request(wanted("c2", session="b"))
    await approvals.remove(session="a")
    assert [item.session for item in await approvals.history()] == ["b"]


async def test_another_tenant_sees_nothing_of_it(state: State, approvals: Approvals) -> None:
    asked = await approvals.request(wanted())
    other = state.for_tenant("another").approvals
    assert await other.pending() == ()
    with pytest.raises(UnknownApprovalError):
        await other.approve(asked.id, by="Mallory")


async def test_who_waits_sees_the_decision(approvals: Approvals) -> None:
    asked = await approvals.request(wanted())
    seen: list[Approval] = []

    async def wait() -> None:
        seen.append(await approvals.wait(asked.id))

    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await anyio.sleep(0.05)
            await approvals.approve(asked.id, by="Ada")
    assert seen == [await approvals.get(asked.id)]
    assert seen[0].decided_by == "Ada"


async def test_who_waits_sees_the_expiry(approvals: Approvals, clock: SetClock) -> None:
    asked = await approvals.request(wanted(expires_s=NOW_S + HOUR_S))

    seen: list[Approval] = []

    async def wait() -> None:
        seen.append(await approvals.wait(asked.id))

    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            await anyio.sleep(0.05)
            clock.now_s += HOUR_S
    assert [approval.status for approval in seen] == ["expired"]


async def test_who_waits_too_long_gets_it_back_still_pending(approvals: Approvals) -> None:
    asked = await approvals.request(wanted())
    with anyio.fail_after(5):
        assert (await approvals.wait(asked.id, timeout_s=0.15)).status is ApprovalStatus.PENDING


DECIDER = """
import sys, anyio
from smallhold.security import KeyRing
from smallhold.state import State
async def decide() -> None:
    state = State(sys.argv[1], keys=KeyRing({"test": bytes(range(32))}))
    found = (await state.approvals.pending())[0]
    await state.approvals.approve(found.id, by="the night shift", arguments_hash=sys.argv[2])
    await state.aclose()
anyio.run(decide)
"""


async def test_a_decision_of_another_process_ends_the_waiting(tmp_path: Path) -> None:
    place = tmp_path / "state.db"
    state = State(place, keys=KEYS)
    asked = await state.approvals.request(wanted())
    command = [sys.executable, "-c", DECIDER, str(place), asked.arguments_hash]
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.run_process, command)
        await state.approvals.wait(asked.id, timeout_s=30)
    seen = await state.approvals.get(asked.id)
    await state.aclose()
    assert (seen.status, seen.decided_by) == ("approved", "the night shift")
