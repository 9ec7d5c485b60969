"""What agents remember: this file holds the tables of facts."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Column, Float, Index, Integer, LargeBinary, String, Table

from smallhold.state.tables.metadata import (
    ID_CHARS,
    KEY_CHARS,
    METADATA,
    payload_column,
    tenant_column,
)

SUBJECTS: Final[Table[Any]] = Table(
    "subjects",
    METADATA,
    tenant_column(),
    Column("subject_key", String(KEY_CHARS), primary_key=True),
    Column("revision", String(ID_CHARS), nullable=False),
    Column("next_position", Integer, nullable=False),
    payload_column(),
)
"""Whom facts are about. The revision is another one, never seen before, after every change, so that
no process serves what it read before; the payload holds the name."""

FACTS: Final[Table[Any]] = Table(
    "facts",
    METADATA,
    tenant_column(),
    Column("id", String(ID_CHARS), primary_key=True),
    Column("subject_key", String(KEY_CHARS), nullable=False),
    Column("attribute_key", String(KEY_CHARS), nullable=False),
    Column("position", Integer, nullable=False),
    Column("created_s", Float, nullable=False),
    Column("expires_s", Float),
    Column("superseded_s", Float),
    Column("superseded_by", String(ID_CHARS)),
    Column("embedding_model", String(KEY_CHARS)),
    Column("vector", LargeBinary),
    payload_column(),
    Index(None, "tenant", "subject_key", "position", unique=True),
    Index(None, "tenant", "attribute_key"),
)
"""One row for each value that was stated, current or superseded. `vector` is sealed, and
`embedding_model` is the fingerprint of the model that computed it."""

MEMORY_MARKS: Final[Table[Any]] = Table(
    "memory_marks",
    METADATA,
    tenant_column(),
    Column("written_s", Float, nullable=False),
)
"""The newest plausible time at which a tenant's memory was written."""
