"""Errors of approvals: this file holds them."""

from __future__ import annotations

from smallhold.exceptions.caller import CallerError


class ApprovalError(CallerError):
    """A request for approval cannot be made or decided like this."""

    def __init__(self, *, approval_id: str, problem: str, remedy: str) -> None:
        self.approval_id = approval_id
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"The request for approval {approval_id!r} {problem}. {remedy}")


class UnknownApprovalError(ApprovalError):
    """There is no such request for approval."""

    def __init__(self, *, approval_id: str) -> None:
        super().__init__(
            approval_id=approval_id,
            problem="does not exist",
            remedy="`smallhold approvals list` shows those that wait.",
        )


class ApprovalDecidedError(ApprovalError):
    """A request was decided before, and a decision is final."""

    def __init__(self, *, approval_id: str, status: str, decided_by: str | None) -> None:
        self.status = status
        self.decided_by = decided_by
        super().__init__(
            approval_id=approval_id,
            problem=f"is {status} already, by {decided_by or 'nobody'}",
            remedy="A decision is final; let the agent ask again if it should be another.",
        )


class ApprovalExpiredError(ApprovalError):
    """A request was not decided in time."""

    def __init__(self, *, approval_id: str, late_s: float) -> None:
        self.late_s = late_s
        """Seconds since it expired."""
        super().__init__(
            approval_id=approval_id,
            problem=f"expired {late_s:,.0f} s ago and can no longer be decided",
            remedy="Let the agent ask again.",
        )


class ApprovalMismatchError(ApprovalError):
    """What is to be approved is not what was shown."""

    def __init__(self, *, approval_id: str, expected: str, actual: str) -> None:
        self.expected = expected
        """Tool or hash of the arguments, as stored."""
        self.actual = actual
        super().__init__(
            approval_id=approval_id,
            problem=f"is for {expected}, not for {actual}",
            remedy="Look at it again before deciding; nothing was approved.",
        )
