"""Calls that wait for a person: this file holds the table of approvals."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Column, Float, Index, String, Table, UniqueConstraint

from smallhold.state.tables.metadata import ID_CHARS, METADATA, payload_column, tenant_column

APPROVALS: Final[Table[Any]] = Table(
    "approvals",
    METADATA,
    tenant_column(),
    Column("id", String(ID_CHARS), primary_key=True),
    Column("session", String(ID_CHARS)),
    Column("run", String(ID_CHARS), nullable=False),
    Column("call_id", String(ID_CHARS), nullable=False),
    Column("status", String(16), nullable=False),
    Column("created_s", Float, nullable=False),
    Column("expires_s", Float),
    Column("decided_s", Float),
    payload_column(),
    UniqueConstraint("tenant", "run", "call_id"),
    Index(None, "tenant", "status", "created_s"),
    Index(None, "tenant", "session"),
)
"""The hash that a decision is bound to is not a column: whoever can guess a call's arguments could
prove the guess by it. It is made from the payload's arguments."""
