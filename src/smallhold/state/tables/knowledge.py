"""What agents can look up: this file holds the tables of documents."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Column, Float, ForeignKeyConstraint, Index, Integer, String, Table

from smallhold.state.tables.metadata import (
    ID_CHARS,
    KEY_CHARS,
    METADATA,
    payload_column,
    tenant_column,
)

COLLECTIONS: Final[Table[Any]] = Table(
    "collections",
    METADATA,
    tenant_column(),
    Column("id", String(ID_CHARS), primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("embedding_model", String(KEY_CHARS)),
    payload_column(),
)
"""A tenant's bodies of documents; the generation grows with every change, and the payload tells by
which vector of a known text the embedding model is known again."""

DOCUMENTS: Final[Table[Any]] = Table(
    "documents",
    METADATA,
    tenant_column(),
    Column("id", String(ID_CHARS), primary_key=True),
    Column("collection", String(ID_CHARS), nullable=False),
    Column("source_key", String(KEY_CHARS), nullable=False),
    Column("content_key", String(KEY_CHARS), nullable=False),
    Column("embedding_model", String(KEY_CHARS)),
    Column("generation", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("indexed_s", Float, nullable=False),
    payload_column(),
    Index(None, "tenant", "collection", "source_key", unique=True),
    Index(None, "tenant", "collection", "generation"),
)
"""The generation is that of the collection when the document was added or last changed."""

CHUNKS: Final[Table[Any]] = Table(
    "chunks",
    METADATA,
    tenant_column(),
    Column("document", String(ID_CHARS), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    payload_column(),
    ForeignKeyConstraint(
        ["tenant", "document"], ["documents.tenant", "documents.id"], ondelete="CASCADE"
    ),
)
"""What is shown and cited."""

DOCUMENT_INDEXES: Final[Table[Any]] = Table(
    "document_indexes",
    METADATA,
    tenant_column(),
    Column("document", String(ID_CHARS), primary_key=True),
    payload_column(),
    ForeignKeyConstraint(
        ["tenant", "document"], ["documents.tenant", "documents.id"], ondelete="CASCADE"
    ),
)
"""What is searched: terms and vectors of all chunks of a document, as sealed bytes."""
