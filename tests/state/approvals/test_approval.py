from __future__ import annotations

from dataclasses import replace

from smallhold.state.approvals import Approval, ApprovalStatus

APPROVAL = Approval(
    id="a1",
    run="r1",
    session=None,
    call_id="c1",
    tool="refund",
    arguments={"order": 1042},
    arguments_hash="",
    why="It moves money.",
    status=ApprovalStatus.APPROVED,
    created_s=1.0,
)


def test_a_call_runs_with_its_own_arguments_unless_they_were_edited() -> None:
    assert APPROVAL.effective_arguments == {"order": 1042}
    edited = replace(APPROVAL, edited_arguments={"order": 7})
    assert edited.effective_arguments == {"order": 7}


def test_arguments_edited_to_none_at_all_count_as_edited() -> None:
    assert replace(APPROVAL, edited_arguments={}).effective_arguments == {}
