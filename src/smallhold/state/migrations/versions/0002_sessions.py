"""Sessions, their runs and entries: this file holds one step of the tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "sessions",
        sa.Column("tenant", sa.String(length=128), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("format", sa.Integer(), nullable=False),
        sa.Column("created_s", sa.Float(), nullable=False),
        sa.Column("updated_s", sa.Float(), nullable=False),
        sa.Column("head", sa.Integer(), nullable=False),
        sa.Column("base", sa.Integer(), nullable=False),
        sa.Column("turns", sa.Integer(), nullable=False),
        sa.Column("open_run", sa.String(length=128), nullable=True),
        sa.Column("parent", sa.String(length=128), nullable=True),
        sa.Column("parent_seq", sa.Integer(), nullable=True),
        sa.Column("quarantined_s", sa.Float(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_sessions")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_sessions_tenant_updated_s"), "sessions", ["tenant", "updated_s"], unique=False
    )
    op.create_table(
        "runs",
        sa.Column("tenant", sa.String(length=128), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("session", sa.String(length=128), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False),
        sa.Column("lease_until_s", sa.Float(), nullable=False),
        sa.Column("first_seq", sa.Integer(), nullable=False),
        sa.Column("started_s", sa.Float(), nullable=False),
        sa.Column("updated_s", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "session"], ["sessions.tenant", "sessions.id"], ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_runs")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_runs_tenant_session_first_seq"),
        "runs",
        ["tenant", "session", "first_seq"],
        unique=False,
    )
    op.create_table(
        "entries",
        sa.Column("tenant", sa.String(length=128), nullable=False),
        sa.Column("session", sa.String(length=128), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("run", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("created_s", sa.Float(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "session"], ["sessions.tenant", "sessions.id"], ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant", "session", "seq", name=op.f("pk_entries")),
        sqlite_with_rowid=False,
    )
