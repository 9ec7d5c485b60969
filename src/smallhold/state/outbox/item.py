"""An effect that waits for a network: this file holds its values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from smallhold.messages import JsonObject


class OutboxStatus(StrEnum):
    """Where an effect stands."""

    WAITING = "waiting"
    """It will be sent, or sent again."""
    SENT = "sent"
    """The function that sends returned; its body is forgotten, its key is not."""
    REJECTED = "rejected"
    """Its receiver will never take it, or it was tried too often. A person retries or drops it."""
    DROPPED = "dropped"
    """A person decided that it will not be sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxItem:
    """An effect, as the function that sends is given it."""

    id: str
    session: str | None
    """Effects of a session are sent in the order in which they were put."""
    number: int
    """Place in the session's order, from 1."""
    destination: str
    """Whatever tells the function that sends where to: a URL, a subject, a name."""
    body: JsonObject
    """What to send; empty once it was sent or dropped."""
    idempotency_key: str
    """The same at every attempt. A receiver that knows it already must not act again."""
    status: OutboxStatus
    attempts: int
    """How often sending has begun."""
    created_s: float
    """Unix seconds, as `due_s` and `settled_s`."""
    due_s: float
    """When it may be sent, or sent again."""
    settled_s: float | None = None
    """When it was sent, rejected or dropped."""
    error: str | None = None
    """Why the latest attempt failed."""
