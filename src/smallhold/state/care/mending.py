"""What is done about damage: this file holds the remedy for each kind of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, and_, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from smallhold.exceptions import StateError
from smallhold.state.care.finding import Finding, FindingKind
from smallhold.state.database import Database
from smallhold.state.memory.payloads import PAYLOAD_VERSION
from smallhold.state.outbox import order
from smallhold.state.tables import (
    CHUNKS,
    DOCUMENT_INDEXES,
    DOCUMENTS,
    FACTS,
    METADATA,
    OUTBOX,
    SESSIONS,
    STORE_INFO,
)
from smallhold.state.tables.memory import SUBJECTS
from smallhold.state.tables.outbox import OUTBOX_QUEUES

_OF_DOCUMENT: Final = {CHUNKS.name, DOCUMENT_INDEXES.name, DOCUMENTS.name}


@dataclass(slots=True, kw_only=True)
class Mending:
    """What was done, and what is to be done with it."""

    now_s: float
    quarantined: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    rows: list[tuple[str, Mapping[Any, Any]]] = field(
        default_factory=list[tuple[str, Mapping[Any, Any]]]
    )
    """Rows that were deleted here, to be kept elsewhere before the transaction ends."""
    queues: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """Orders of the outbox to look through again, each with its tenant."""

    async def mend(self, connection: AsyncConnection, database: Database, finding: Finding) -> None:
        """Do what helps against one finding, in a transaction of the whole database."""
        if finding.session is not None:
            await self._quarantine(connection, finding.tenant, finding.session)
        elif finding.kind is FindingKind.ORDER:
            self.queues.add((finding.tenant, finding.row))
        elif finding.table == OUTBOX.name and finding.kind is FindingKind.ORPHAN:
            await self._begin_queue(connection, finding)
        elif finding.kind is FindingKind.PAYLOAD and finding.table == SUBJECTS.name:
            await self._rename_subject(connection, database, finding)
        elif finding.kind is FindingKind.PAYLOAD and finding.column == "vector":
            forgotten = {"vector": None, "embedding_model": None}
            where = _where(FACTS, finding.key)
            await connection.execute(update(FACTS).where(where).values(forgotten))
        elif finding.kind in {FindingKind.PAYLOAD, FindingKind.ORPHAN}:
            for table, where in _belonging(finding):
                await self._set_aside(connection, table, where)

    async def _quarantine(self, connection: AsyncConnection, tenant: str, session: str) -> None:
        mark = update(SESSIONS).where(
            SESSIONS.c.tenant == tenant,
            SESSIONS.c.id == session,
            SESSIONS.c.quarantined_s.is_(None),
        )
        await connection.execute(mark.values(quarantined_s=self.now_s))
        self.quarantined.add((tenant, session))

    async def _set_aside(
        self, connection: AsyncConnection, table: Table[Any], where: ColumnElement[bool]
    ) -> None:
        rows = (await connection.execute(select(table).where(where))).mappings().all()
        self.rows += [(table.name, row) for row in rows]
        await connection.execute(delete(table).where(where))
        if table is OUTBOX:
            self.queues.update((row["tenant"], row["queue"]) for row in rows)

    async def _begin_queue(self, connection: AsyncConnection, finding: Finding) -> None:
        """Begin an effect's order anew; the effects still know their places in it."""
        where = _where(OUTBOX, finding.key)
        queue = await connection.scalar(select(OUTBOX.c.queue).where(where))
        if queue is None or (finding.tenant, queue) in self.queues:
            return
        last = select(func.max(OUTBOX.c.number)).where(
            OUTBOX.c.tenant == finding.tenant, OUTBOX.c.queue == queue
        )
        row = {"tenant": finding.tenant, "id": queue}
        row_number = {"last_number": await connection.scalar(last)}
        await connection.execute(insert(OUTBOX_QUEUES).values(**row, **row_number))
        self.queues.add((finding.tenant, queue))

    async def _rename_subject(
        self, connection: AsyncConnection, database: Database, finding: Finding
    ) -> None:
        """Read a subject's name from one of its facts; without any, the row is of no use."""
        where = and_(FACTS.c.tenant == finding.tenant, FACTS.c.subject_key == finding.row)
        rows = (await connection.execute(select(FACTS).where(where))).mappings().all()
        for row in rows:
            name = _subject_of(row, database)
            if name is not None:
                payload = database.sealer.seal(
                    {"v": PAYLOAD_VERSION, "subject": name},
                    tenant=finding.tenant,
                    table=SUBJECTS.name,
                    row=finding.row,
                )
                renamed = update(SUBJECTS).where(_where(SUBJECTS, finding.key))
                await connection.execute(renamed.values(payload=payload))
                return
        await self._set_aside(connection, FACTS, where)
        await self._set_aside(connection, SUBJECTS, _where(SUBJECTS, finding.key))


async def look_through(database: Database, queues: set[tuple[str, str]]) -> None:
    """Note anew what is due next in orders of the outbox, and open those that nothing blocks."""
    for tenant, queue in sorted(queues):
        async with database.tenant(tenant).writing() as connection:
            row = await order.queue_row(connection, queue)
            if row is None:
                continue
            blocker = row["blocked_by"]
            if blocker is not None:
                found = await connection.execute(select(OUTBOX.c.id).where(OUTBOX.c.id == blocker))
                if found.first() is None:
                    await order.unblock(connection, queue, effect_id=blocker)
            await order.refresh(connection, queue)


def _belonging(finding: Finding) -> Iterator[tuple[Table[Any], ColumnElement[bool]]]:
    """Name the rows that are of no use without a damaged one, the children first."""
    if finding.table == STORE_INFO.name:
        return
    if finding.table in _OF_DOCUMENT:
        # Part of a document would be found and cited as if it were the whole.
        tenant, document = finding.key[:2]
        for table in (CHUNKS, DOCUMENT_INDEXES):
            yield table, and_(table.c.tenant == tenant, table.c.document == document)
        yield DOCUMENTS, and_(DOCUMENTS.c.tenant == tenant, DOCUMENTS.c.id == document)
        return
    table = METADATA.tables[finding.table]
    yield table, _where(table, finding.key)


def _where(table: Table[Any], key: tuple[Any, ...]) -> ColumnElement[bool]:
    columns = table.primary_key.columns
    return and_(*(column == value for column, value in zip(columns, key, strict=True)))


def _subject_of(row: Mapping[Any, Any], database: Database) -> str | None:
    try:
        payload = database.sealer.unseal(
            row["payload"], tenant=row["tenant"], table=FACTS.name, row=row["id"]
        )
    except StateError:
        return None
    name = payload.get("subject") if isinstance(payload, dict) else None
    return name if isinstance(name, str) else None
