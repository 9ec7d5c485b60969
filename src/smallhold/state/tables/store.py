"""What the database knows of itself: this file holds the tables of its own care.

These belong to the whole database and not to a tenant, so tenants' connections refuse them.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Column, Float, LargeBinary, String, Table

from smallhold.state.tables.metadata import ID_CHARS, KEY_CHARS, METADATA

STORE_INFO: Final[Table[Any]] = Table(
    "store_info",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
"""Settings of the database, sealed like payloads: `index_secret` for keyed hashes."""

TOMBSTONES: Final[Table[Any]] = Table(
    "tombstones",
    METADATA,
    Column("tenant", String(ID_CHARS), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("key", String(KEY_CHARS), primary_key=True),
    Column("created_s", Float, nullable=False),
)
"""What was erased and must be erased again when an older backup is restored."""

BACKUPS: Final[Table[Any]] = Table(
    "backups",
    METADATA,
    Column("id", String(ID_CHARS), primary_key=True),
    Column("created_s", Float, nullable=False),
    Column("payload", LargeBinary, nullable=False),
)
"""Backups that were made; the payload tells where they are."""
