"""What waits for a person's yes: this file holds the values of an approval."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from smallhold.messages import JsonObject


class ApprovalStatus(StrEnum):
    """Where a request for approval stands."""

    PENDING = "pending"
    APPROVED = "approved"
    """Also after an edit: the call may run, with `Approval.effective_arguments`."""
    DENIED = "denied"
    EXPIRED = "expired"
    """Nobody decided in time. It stays so, whatever the clock says later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequest:
    """A tool call that needs a person's yes before it runs."""

    run: str
    call_id: str
    """With `run` it names the call: asking twice for the same call gives the same approval."""
    tool: str
    arguments: JsonObject
    why: str
    """Why this call needs a yes, in a sentence for the person who decides."""
    session: str | None = None
    expires_s: float | None = None
    """Unix seconds at which the request expires; `None`: never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A request for approval, and what was decided."""

    id: str
    run: str
    session: str | None
    call_id: str
    tool: str
    arguments: JsonObject
    """What the model asked for, and what the person was shown."""
    arguments_hash: str
    """`hash_arguments(arguments)`: what a decision is bound to."""
    why: str
    status: ApprovalStatus
    created_s: float
    """Unix seconds, as `expires_s` and `decided_s`."""
    expires_s: float | None = None
    decided_by: str | None = None
    """Who decided; `None` while it is pending, and when it expired."""
    decided_s: float | None = None
    """When it was decided, or was first seen to have expired."""
    comment: str | None = None
    """What the person said to it; of an expired one, what was odd about the clock."""
    edited_arguments: JsonObject | None = None
    """What the person put in place of `arguments`."""

    @property
    def effective_arguments(self) -> JsonObject:
        """The arguments to run the call with, once it is approved."""
        return self.arguments if self.edited_arguments is None else self.edited_arguments
