"""Effects that wait for a network: this file holds the tables of the outbox."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Column, Float, Index, Integer, String, Table, UniqueConstraint

from smallhold.state.tables.metadata import (
    ID_CHARS,
    KEY_CHARS,
    METADATA,
    payload_column,
    tenant_column,
)

QUEUE_CHARS: Final = ID_CHARS + 2
"""A session's id or an effect's, and a prefix of two characters that tells which."""

OUTBOX_QUEUES: Final[Table[Any]] = Table(
    "outbox_queues",
    METADATA,
    tenant_column(),
    Column("id", String(QUEUE_CHARS), primary_key=True),
    Column("last_number", Integer, nullable=False),
    Column("due_s", Float),
    Column("blocked_by", String(ID_CHARS)),
    Column("claim", String(ID_CHARS)),
    Column("claimed_until_s", Float),
    Index(None, "tenant", "due_s"),
)
"""One row for each order of effects: a session's, or a single effect's that has no session.

`due_s` is when its first effect may be sent; empty, when none waits or a rejected one blocks it. A
claim is a random word that one deliverer wrote; only who knows it may settle the first effect.
"""

OUTBOX: Final[Table[Any]] = Table(
    "outbox",
    METADATA,
    tenant_column(),
    Column("id", String(ID_CHARS), primary_key=True),
    Column("queue", String(QUEUE_CHARS), nullable=False),
    Column("number", Integer, nullable=False),
    Column("session", String(ID_CHARS)),
    Column("idempotency_key", String(KEY_CHARS), nullable=False),
    Column("status", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_s", Float, nullable=False),
    Column("due_s", Float, nullable=False),
    Column("settled_s", Float),
    payload_column(),
    UniqueConstraint("tenant", "idempotency_key"),
    UniqueConstraint("tenant", "queue", "number"),
    Index(None, "tenant", "status", "settled_s"),
    Index(None, "tenant", "queue", "status", "number"),
    Index(None, "tenant", "session"),
)
"""`idempotency_key` is a keyed hash; the key itself is in the payload."""
