from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import (
    ApprovalDecidedError,
    ApprovalExpiredError,
    ApprovalMismatchError,
    ConfigError,
)
from smallhold.state.approvals import Approval, ApprovalRequest, ApprovalStatus
from smallhold.state.approvals.deciding import (
    Decision,
    check_same,
    decided,
    expired,
    is_due,
    new_approval,
)

WANTED = ApprovalRequest(
    run="r1", call_id="c1", tool="refund", arguments={"order": 1042}, why="It moves money."
)


def waiting(*, expires_s: float | None = None) -> Approval:
    wanted = ApprovalRequest(
        run="r1",
        call_id="c1",
        tool="refund",
        arguments={"order": 1042},
        why="It moves money.",
        expires_s=expires_s,
    )
    return new_approval(wanted, approval_id="a1", now_s=100.0)


def yes(shown_hash: str | None = None) -> Decision:
    return Decision(status=ApprovalStatus.APPROVED, by="Ada", shown_hash=shown_hash)


def test_a_yes_says_who_gave_it_and_when() -> None:
    done = decided(waiting(), yes(), now_s=120.0)
    assert (done.status, done.decided_by, done.decided_s) == ("approved", "Ada", 120.0)
    assert done.effective_arguments == {"order": 1042}


def test_an_edit_replaces_the_arguments_and_keeps_what_was_shown() -> None:
    edit = Decision(status=ApprovalStatus.APPROVED, by="Ada", edited_arguments={"order": 7})
    done = decided(waiting(), edit, now_s=120.0)
    assert done.effective_arguments == {"order": 7}
    assert done.arguments == {"order": 1042}


def test_a_yes_to_other_arguments_than_were_shown_is_refused() -> None:
    with pytest.raises(ApprovalMismatchError, match="nothing was approved"):
        decided(waiting(), yes("0" * 64), now_s=120.0)


def test_a_yes_to_what_was_shown_is_taken() -> None:
    found = waiting()
    assert decided(found, yes(found.arguments_hash), now_s=1.0).status == "approved"


@pytest.mark.parametrize("status", [ApprovalStatus.APPROVED, ApprovalStatus.DENIED])
def test_a_second_decision_is_refused_with_the_name_of_who_was_first(
    status: ApprovalStatus,
) -> None:
    first = decided(waiting(), Decision(status=status, by="Grace"), now_s=120.0)
    with pytest.raises(ApprovalDecidedError, match=f"{status} already, by Grace"):
        decided(first, yes(), now_s=121.0)


def test_an_expired_request_cannot_be_decided_and_says_by_how_much_it_is_late() -> None:
    gone = expired(waiting(expires_s=200.0), now_s=230.0, note=None)
    with pytest.raises(ApprovalExpiredError, match="expired 30 s ago"):
        decided(gone, yes(), now_s=230.0)


@given(now_s=st.floats(0, 1e9), expires_s=st.floats(101, 1e9))
def test_a_request_is_due_exactly_from_its_last_second_on(now_s: float, expires_s: float) -> None:
    assert is_due(waiting(expires_s=expires_s), now_s=now_s) == (now_s >= expires_s)


def test_a_request_without_an_end_is_never_due() -> None:
    assert not is_due(waiting(), now_s=1e18)


@pytest.mark.parametrize("expires_s", [100.0, 99.0, float("nan")])
def test_a_request_that_would_be_expired_at_once_is_refused(expires_s: float) -> None:
    with pytest.raises(ConfigError, match="expires_s"):
        waiting(expires_s=expires_s)


def test_nobody_cannot_decide() -> None:
    with pytest.raises(ConfigError, match="say who decides"):
        Decision(status=ApprovalStatus.APPROVED, by=" ")


def test_the_same_call_with_another_tool_or_arguments_is_refused() -> None:
    found = waiting()
    check_same(found, WANTED)
    other_tool = ApprovalRequest(
        run="r1", call_id="c1", tool="cancel", arguments={"order": 1042}, why=""
    )
    with pytest.raises(ApprovalMismatchError, match="the tool 'refund'"):
        check_same(found, other_tool)
    other = ApprovalRequest(run="r1", call_id="c1", tool="refund", arguments={"order": 1}, why="")
    with pytest.raises(ApprovalMismatchError, match="arguments with the hash"):
        check_same(found, other)
