from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from smallhold.exceptions import DamagedRecordError, NewerFormatError, WrongKeyError
from smallhold.state import State
from smallhold.state.approvals import Approval, ApprovalStatus, hash_arguments
from smallhold.state.approvals.records import FORMAT, approval_of, values_of

ARGUMENTS: dict[str, Any] = {"order": 1042, "lines": [1.5, None, {"text": "é\ud800"}]}
APPROVAL = Approval(
    id="a1",
    run="r1",
    session="kiosk-7",
    call_id="c1",
    tool="refund",
    arguments=ARGUMENTS,
    arguments_hash=hash_arguments(ARGUMENTS),
    why="It moves money.",
    status=ApprovalStatus.DENIED,
    created_s=1.25,
    expires_s=7.5,
    decided_by="Ada",
    decided_s=2.0,
    comment="Too much.",
    edited_arguments={"order": 7},
)


async def test_what_is_read_is_what_was_written(state: State) -> None:
    assert approval_of(values_of(APPROVAL, state.rows), state.rows) == APPROVAL
    bare = replace(APPROVAL, session=None, expires_s=None, decided_s=None, decided_by=None)
    assert approval_of(values_of(bare, state.rows), state.rows) == bare


async def test_a_status_changed_behind_the_payload_is_noticed(state: State) -> None:
    row = values_of(APPROVAL, state.rows) | {"status": "approved"}
    with pytest.raises(DamagedRecordError, match="status is not the sealed one"):
        approval_of(row, state.rows)


async def test_a_row_of_another_approval_is_noticed(state: State) -> None:
    await state.database.open()
    row = values_of(APPROVAL, state.rows) | {"id": "a2"}
    with pytest.raises((DamagedRecordError, WrongKeyError)):
        approval_of(row, state.rows)


async def test_an_approval_of_a_newer_version_is_refused_by_name(state: State) -> None:
    payload = state.rows.seal({"v": FORMAT + 1}, table="approvals", row="a1")
    row = values_of(APPROVAL, state.rows) | {"payload": payload}
    with pytest.raises(NewerFormatError, match="approvals a1"):
        approval_of(row, state.rows)


async def test_a_payload_of_something_else_is_noticed(state: State) -> None:
    payload = state.rows.seal({"v": FORMAT, "tool": 3}, table="approvals", row="a1")
    row = values_of(APPROVAL, state.rows) | {"payload": payload}
    with pytest.raises(DamagedRecordError, match="does not hold an approval"):
        approval_of(row, state.rows)
