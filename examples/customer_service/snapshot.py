"""The shop's state at one moment: this file holds what a judge compares before and after a task."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from customer_service.data import reading

_STOCK_IN_TRADE = (
    "SELECT * FROM products ORDER BY product_id",
    "SELECT * FROM customers ORDER BY customer_id",
    "SELECT * FROM orders ORDER BY order_id",
    "SELECT * FROM order_lines ORDER BY order_id, product_id",
    "SELECT * FROM articles ORDER BY article_id",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRow:
    """A service ticket."""

    ticket_id: int
    order_id: str
    category: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRow:
    """A promised call."""

    callback_id: int
    phone: str
    """In the form that `normal_phone` gives."""
    call_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityRow:
    """A tool that ran."""

    activity_id: int
    tool: str
    subject: str
    """Number of the record that was found or written; else the text that was asked for."""
    outcome: str
    """`found`, `several`, `not_found`, `created` or `refused`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All that a task may change, in the order of writing, with a seal on everything else."""

    tickets: tuple[TicketRow, ...] = ()
    callbacks: tuple[CallbackRow, ...] = ()
    activity: tuple[ActivityRow, ...] = ()
    rest_sha256: str = ""
    """Digest of products, customers, orders and articles, which no tool may change."""


def take_snapshot(database: Path) -> Snapshot:
    """Read the present state in one transaction.

    Raises:
        sqlite3.OperationalError: There is no database at this path.
    """
    with reading(database) as connection:
        tickets = connection.execute(
            "SELECT ticket_id, order_id, category, problem FROM tickets ORDER BY ticket_id"
        ).fetchall()
        callbacks = connection.execute(
            "SELECT callback_id, phone, call_at FROM callbacks ORDER BY callback_id"
        ).fetchall()
        activity = connection.execute(
            "SELECT activity_id, tool, subject, outcome FROM activity ORDER BY activity_id"
        ).fetchall()
        digest = hashlib.sha256()
        for query in _STOCK_IN_TRADE:
            digest.update(repr(connection.execute(query).fetchall()).encode())
    return Snapshot(
        tickets=tuple(
            TicketRow(ticket_id=row[0], order_id=row[1], category=row[2], problem=row[3])
            for row in tickets
        ),
        callbacks=tuple(
            CallbackRow(callback_id=row[0], phone=row[1], call_at=datetime.fromisoformat(row[2]))
            for row in callbacks
        ),
        activity=tuple(
            ActivityRow(activity_id=row[0], tool=row[1], subject=row[2], outcome=row[3])
            for row in activity
        ),
        rest_sha256=digest.hexdigest(),
    )
