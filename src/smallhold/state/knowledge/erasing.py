"""Documents that leave no trace: this file holds how a database is cleaned of deleted rows.

Deleted rows are overwritten, but copies of moved ones may stay in pages of the database. Backups
that were made before still hold the document: make a new one, and delete those.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from anyio import to_thread

from smallhold.messages import JsonObject
from smallhold.state.database import Database
from smallhold.state.database.engines import open_engine
from smallhold.state.memory.erased_files import rewrite_file
from smallhold.state.tables.knowledge import CHUNKS, DOCUMENT_INDEXES, DOCUMENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentErasure:
    """What erasing documents achieved."""

    sources: tuple[str, ...]
    """What was erased."""
    chunks: int
    remains: str = ""
    """What could not be cleaned, and what to do about it; empty where all was."""

    @property
    def is_complete(self) -> bool:
        """Whether the database holds nothing of them any more."""
        return not self.remains

    def to_dict(self) -> JsonObject:
        """The report as JSON."""
        return {
            "sources": list(self.sources),
            "chunks": self.chunks,
            "is_complete": self.is_complete,
            "remains": self.remains,
        }


async def clean(database: Database) -> str:
    """Write a database anew without the pages that deleted rows left.

    Returns:
        What could not be cleaned; empty where all was.
    """
    address = database.address
    if not address.is_sqlite:
        return await _clean_server(database)
    if address.path is None:
        return ""
    try:
        is_log_cut = await to_thread.run_sync(rewrite_file, address.path)
    except sqlite3.Error as error:
        return (
            f"the rows are gone, freed pages may hold copies of them ({error}); erase again when "
            "the file is free and the disk has room for a copy of it"
        )
    return "" if is_log_cut else "the log is being read by another process; erase again later"


async def _clean_server(database: Database) -> str:
    engine = open_engine(database.address, durability=database.durability, is_for_tenants=False)
    try:
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in (CHUNKS, DOCUMENT_INDEXES, DOCUMENTS):
                await connection.exec_driver_sql(f"VACUUM (FULL) {table.name}")
    finally:
        await engine.dispose()
    return "the server's own write-ahead log, replicas and dumps are in its administrator's hands"
