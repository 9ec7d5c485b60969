"""Documents and their chunks: this file holds one step of the tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "collections",
        sa.Column("tenant", sa.String(length=128), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("embedding_model", sa.String(length=32), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_collections")),
    )
    op.create_table(
        "documents",
        sa.Column("tenant", sa.String(length=128), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("collection", sa.String(length=128), nullable=False),
        sa.Column("source_key", sa.String(length=32), nullable=False),
        sa.Column("content_key", sa.String(length=32), nullable=False),
        sa.Column("embedding_model", sa.String(length=32), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("indexed_s", sa.Float(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_documents")),
    )
    op.create_index(
        op.f("ix_documents_tenant_collection_generation"),
        "documents",
        ["tenant", "collection", "generation"],
        unique=False,
    )
    op.create_index(
        op.f("ix_documents_tenant_collection_source_key"),
        "documents",
        ["tenant", "collection", "source_key"],
        unique=True,
    )
    op.create_table(
        "chunks",
        sa.Column("tenant", sa.String(length=128), nullable=False),
        sa.Column("document", sa.String(length=128), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "document"], ["documents.tenant", "documents.id"], ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant", "document", "number", name=op.f("pk_chunks")),
    )
    op.create_table(
        "document_indexes",
        sa.Column("tenant", sa.String(length=128), nullable=False),
        sa.Column("document", sa.String(length=128), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "document"], ["documents.tenant", "documents.id"], ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant", "document", name=op.f("pk_document_indexes")),
    )
