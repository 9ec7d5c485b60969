"""Conversations and their runs: this file holds the tables of sessions."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Float, ForeignKeyConstraint, Index, Integer, String, Table

from smallhold.state.tables.metadata import (
    ID_CHARS,
    METADATA,
    payload_column,
    tenant_column,
)

SESSIONS: Final = Table(
    "sessions",
    METADATA,
    tenant_column(),
    Column("id", String(ID_CHARS), primary_key=True),
    Column("format", Integer, nullable=False),
    Column("created_s", Float, nullable=False),
    Column("updated_s", Float, nullable=False),
    Column("head", Integer, nullable=False),
    Column("base", Integer, nullable=False, default=0),
    Column("turns", Integer, nullable=False, default=0),
    Column("open_run", String(ID_CHARS)),
    Column("parent", String(ID_CHARS)),
    Column("parent_seq", Integer),
    Column("quarantined_s", Float),
    payload_column(),
    Index(None, "tenant", "updated_s"),
    sqlite_with_rowid=False,
)
"""`head` is the number of the newest entry, 0 before the first. The conversation can be read from
the entry `base` on, which holds it whole. `open_run` is the run that must end before the next."""

RUNS: Final = Table(
    "runs",
    METADATA,
    tenant_column(),
    Column("id", String(ID_CHARS), primary_key=True),
    Column("session", String(ID_CHARS), nullable=False),
    Column("status", String(16), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("owner", String(ID_CHARS), nullable=False),
    Column("lease_until_s", Float, nullable=False),
    Column("first_seq", Integer, nullable=False),
    Column("started_s", Float, nullable=False),
    Column("updated_s", Float, nullable=False),
    ForeignKeyConstraint(
        ["tenant", "session"], ["sessions.tenant", "sessions.id"], ondelete="CASCADE"
    ),
    Index(None, "tenant", "session", "first_seq"),
    sqlite_with_rowid=False,
)
"""`epoch` grows whenever another process takes a run over; `owner` is empty where none has it.
`lease_until_s` is on the database's own clock."""

ENTRIES: Final = Table(
    "entries",
    METADATA,
    tenant_column(),
    Column("session", String(ID_CHARS), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("run", String(ID_CHARS), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("created_s", Float, nullable=False),
    payload_column(),
    ForeignKeyConstraint(
        ["tenant", "session"], ["sessions.tenant", "sessions.id"], ondelete="CASCADE"
    ),
    sqlite_with_rowid=False,
)
"""Append-only: one row for each step of a run, numbered without gaps from 1 in each session. Two
writers that both believe to be next collide in the primary key."""
