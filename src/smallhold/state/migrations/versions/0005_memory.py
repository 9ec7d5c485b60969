"""Facts about subjects: this file holds the step that creates the tables of memory."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "subjects",
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("subject_key", sa.String(32), nullable=False),
        sa.Column("revision", sa.String(128), nullable=False),
        sa.Column("next_position", sa.Integer, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "subject_key", name="pk_subjects"),
    )
    op.create_table(
        "facts",
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("subject_key", sa.String(32), nullable=False),
        sa.Column("attribute_key", sa.String(32), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("created_s", sa.Float, nullable=False),
        sa.Column("expires_s", sa.Float),
        sa.Column("superseded_s", sa.Float),
        sa.Column("superseded_by", sa.String(128)),
        sa.Column("embedding_model", sa.String(32)),
        sa.Column("vector", sa.LargeBinary),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name="pk_facts"),
    )
    op.create_index(
        "ix_facts_tenant_subject_key_position",
        "facts",
        ["tenant", "subject_key", "position"],
        unique=True,
    )
    op.create_index("ix_facts_tenant_attribute_key", "facts", ["tenant", "attribute_key"])
    op.create_table(
        "memory_marks",
        sa.Column("tenant", sa.String(128), nullable=False),
        sa.Column("written_s", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("tenant", name="pk_memory_marks"),
    )
