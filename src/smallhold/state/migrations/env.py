"""Alembic's entrance: this file holds how a step is run on the connection that it is given."""

from __future__ import annotations

from alembic import context

from smallhold.state.tables import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
