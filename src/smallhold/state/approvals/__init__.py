"""Approvals: a person's yes to a tool call, waited for durably, bound to its arguments."""

from smallhold.state.approvals.approval import Approval, ApprovalRequest, ApprovalStatus
from smallhold.state.approvals.approvals import Approvals
from smallhold.state.approvals.digest import hash_arguments

__all__ = ["Approval", "ApprovalRequest", "ApprovalStatus", "Approvals", "hash_arguments"]
