"""The outbox: this file holds one step of the tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "outbox",
        sa.Column("tenant", sa.String(length=128), nullable=False),
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("queue", sa.String(length=130), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("session", sa.String(length=128), nullable=True),
        sa.Column("idempotency_key", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_s", sa.Float(), nullable=False),
        sa.Column("due_s", sa.Float(), nullable=False),
        sa.Column("settled_s", sa.Float(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_outbox")),
        sa.UniqueConstraint(
            "tenant", "idempotency_key", name=op.f("uq_outbox_tenant_idempotency_key")
        ),
        sa.UniqueConstraint(
            "tenant", "queue", "number", name=op.f("uq_outbox_tenant_queue_number")
        ),
    )
    op.create_index(
        op.f("ix_outbox_tenant_queue_status_number"),
        "outbox",
        ["tenant", "queue", "status", "number"],
        unique=False,
    )
    op.create_index(op.f("ix_outbox_tenant_session"), "outbox", ["tenant", "session"], unique=False)
    op.create_index(
        op.f("ix_outbox_tenant_status_settled_s"),
        "outbox",
        ["tenant", "status", "settled_s"],
        unique=False,
    )
    op.create_table(
        "outbox_queues",
        sa.Column("tenant", sa.String(length=128), nullable=False),
        sa.Column("id", sa.String(length=130), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.Column("due_s", sa.Float(), nullable=True),
        sa.Column("blocked_by", sa.String(length=128), nullable=True),
        sa.Column("claim", sa.String(length=128), nullable=True),
        sa.Column("claimed_until_s", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_outbox_queues")),
    )
    op.create_index(
        op.f("ix_outbox_queues_tenant_due_s"), "outbox_queues", ["tenant", "due_s"], unique=False
    )
