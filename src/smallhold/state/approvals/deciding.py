"""What a decision makes of a request: this file holds the rules, without any I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace

from smallhold.exceptions import (
    ApprovalDecidedError,
    ApprovalExpiredError,
    ApprovalMismatchError,
    ConfigError,
)
from smallhold.messages import JsonObject
from smallhold.state.approvals.approval import Approval, ApprovalRequest, ApprovalStatus
from smallhold.state.approvals.digest import hash_arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person said."""

    status: ApprovalStatus
    by: str
    comment: str | None = None
    shown_hash: str | None = None
    """Hash of the arguments that they were shown; `None` when that is not known."""
    edited_arguments: JsonObject | None = None

    def __post_init__(self) -> None:
        """Refuse a decision of nobody, and arguments that are no plain JSON."""
        if not self.by.strip():
            raise ConfigError(field="by", value=self.by, remedy="say who decides")
        if self.edited_arguments is not None:
            hash_arguments(self.edited_arguments)


def new_approval(wanted: ApprovalRequest, *, approval_id: str, now_s: float) -> Approval:
    """Make a request that waits.

    Raises:
        ConfigError: It would be expired at once.
    """
    if wanted.expires_s is not None and not wanted.expires_s > now_s:
        raise ConfigError(
            field="expires_s",
            value=wanted.expires_s,
            remedy=f"name Unix seconds in the future; now is {now_s:.0f}",
        )
    return Approval(
        id=approval_id,
        run=wanted.run,
        session=wanted.session,
        call_id=wanted.call_id,
        tool=wanted.tool,
        arguments=wanted.arguments,
        arguments_hash=hash_arguments(wanted.arguments),
        why=wanted.why,
        status=ApprovalStatus.PENDING,
        created_s=now_s,
        expires_s=wanted.expires_s,
    )


def is_due(found: Approval, *, now_s: float) -> bool:
    """Tell whether a request has expired and nobody has noted it yet."""
    return (
        found.status is ApprovalStatus.PENDING
        and found.expires_s is not None
        and now_s >= found.expires_s
    )


def expired(found: Approval, *, now_s: float, note: str | None) -> Approval:
    """Note that nobody decided in time."""
    return replace(found, status=ApprovalStatus.EXPIRED, decided_s=now_s, comment=note)


def decided(found: Approval, decision: Decision, *, now_s: float) -> Approval:
    """Apply a decision.

    Raises:
        ApprovalDecidedError: It was decided before.
        ApprovalExpiredError: Nobody decided in time.
        ApprovalMismatchError: The person was shown other arguments.
    """
    if found.status is ApprovalStatus.EXPIRED:
        late_s = now_s if found.expires_s is None else now_s - found.expires_s
        raise ApprovalExpiredError(approval_id=found.id, late_s=max(0.0, late_s))
    if found.status is not ApprovalStatus.PENDING:
        raise ApprovalDecidedError(
            approval_id=found.id, status=found.status, decided_by=found.decided_by
        )
    if decision.shown_hash not in {None, found.arguments_hash}:
        raise ApprovalMismatchError(
            approval_id=found.id,
            expected=f"arguments with the hash {found.arguments_hash}",
            actual=f"those with the hash {decision.shown_hash}",
        )
    return replace(
        found,
        status=decision.status,
        decided_by=decision.by,
        decided_s=now_s,
        comment=decision.comment,
        edited_arguments=decision.edited_arguments,
    )


def check_same(found: Approval, wanted: ApprovalRequest) -> None:
    """Refuse a call that came before with another tool or other arguments.

    Raises:
        ApprovalMismatchError: It did.
    """
    if found.tool != wanted.tool:
        raise ApprovalMismatchError(
            approval_id=found.id,
            expected=f"the tool {found.tool!r}",
            actual=f"{wanted.tool!r} with the same run and call",
        )
    wanted_hash = hash_arguments(wanted.arguments)
    if found.arguments_hash != wanted_hash:
        raise ApprovalMismatchError(
            approval_id=found.id,
            expected=f"arguments with the hash {found.arguments_hash}",
            actual=f"those with the hash {wanted_hash} of the same run and call",
        )
