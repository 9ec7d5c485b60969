"""Approvals: this file holds one step of the tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "approvals",
        sa.Column("tenant", sa.String(length=128), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("session", sa.String(length=128), nullable=True),
        sa.Column("run", sa.String(length=128), nullable=False),
        sa.Column("call_id", sa.String(length=128), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("created_s", sa.Float(), nullable=False),
        sa.Column("expires_s", sa.Float(), nullable=True),
        sa.Column("decided_s", sa.Float(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_approvals")),
        sa.UniqueConstraint(
            "tenant", "run", "call_id", name=op.f("uq_approvals_tenant_run_call_id")
        ),
    )
    op.create_index(
        op.f("ix_approvals_tenant_session"), "approvals", ["tenant", "session"], unique=False
    )
    op.create_index(
        op.f("ix_approvals_tenant_status_created_s"),
        "approvals",
        ["tenant", "status", "created_s"],
        unique=False,
    )
