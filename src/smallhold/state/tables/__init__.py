"""The tables of the state: this package holds the one schema, for SQLite and PostgreSQL."""

from smallhold.state.tables.approvals import APPROVALS
from smallhold.state.tables.knowledge import CHUNKS, COLLECTIONS, DOCUMENT_INDEXES, DOCUMENTS
from smallhold.state.tables.memory import FACTS, MEMORY_MARKS, SUBJECTS
from smallhold.state.tables.metadata import METADATA
from smallhold.state.tables.outbox import OUTBOX, OUTBOX_QUEUES
from smallhold.state.tables.sessions import ENTRIES, RUNS, SESSIONS
from smallhold.state.tables.store import BACKUPS, STORE_INFO, TOMBSTONES

__all__ = [
    "APPROVALS",
    "BACKUPS",
    "CHUNKS",
    "COLLECTIONS",
    "DOCUMENTS",
    "DOCUMENT_INDEXES",
    "ENTRIES",
    "FACTS",
    "MEMORY_MARKS",
    "METADATA",
    "OUTBOX",
    "OUTBOX_QUEUES",
    "RUNS",
    "SESSIONS",
    "STORE_INFO",
    "SUBJECTS",
    "TOMBSTONES",
]
