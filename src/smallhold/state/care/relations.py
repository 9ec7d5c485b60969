"""What belongs together: this file holds the queries for rows that lack what they belong to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Executable, RowMapping, Table, and_, exists, func, or_, select

from smallhold.state.care.finding import Finding, FindingKind
from smallhold.state.outbox.item import OutboxStatus
from smallhold.state.tables import (
    CHUNKS,
    DOCUMENT_INDEXES,
    DOCUMENTS,
    ENTRIES,
    OUTBOX,
    RUNS,
    SESSIONS,
)
from smallhold.state.tables.outbox import OUTBOX_QUEUES


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """One thing that must hold; the query finds where it does not."""

    table: str
    query: Executable
    finding: Callable[[RowMapping], Finding]


def _gaps() -> Relation:
    counted = (
        select(
            SESSIONS.c.tenant,
            SESSIONS.c.id,
            SESSIONS.c.head,
            func.count(ENTRIES.c.seq).label("entries"),
            func.coalesce(func.min(ENTRIES.c.seq), 0).label("first"),
            func.coalesce(func.max(ENTRIES.c.seq), 0).label("last"),
        )
        .select_from(
            SESSIONS.outerjoin(
                ENTRIES,
                and_(ENTRIES.c.tenant == SESSIONS.c.tenant, ENTRIES.c.session == SESSIONS.c.id),
            )
        )
        .group_by(SESSIONS.c.tenant, SESSIONS.c.id, SESSIONS.c.head)
        .subquery()
    )
    column = counted.c
    # Numbers are unique and begin at 1, so that as many as the last one says are all of them.
    query = select(counted).where(or_(column.last != column.head, column.entries != column.head))

    def finding(row: RowMapping) -> Finding:
        problem = (
            f"it should have entries up to {row['head']}, and has {row['entries']} "
            f"from {row['first']} to {row['last']}"
        )
        return Finding(
            kind=FindingKind.GAP,
            problem=problem,
            table=SESSIONS.name,
            row=row["id"],
            tenant=row["tenant"],
            session=row["id"],
            key=(row["tenant"], row["id"]),
        )

    return Relation(table=SESSIONS.name, query=query, finding=finding)


def _orphans(
    child: Table[Any], column: str, parent: Table[Any], *, named_by: tuple[str, ...]
) -> Relation:
    owner = exists().where(parent.c.tenant == child.c.tenant, parent.c["id"] == child.c[column])
    columns = [child.c[name] for name in dict.fromkeys((*named_by, column))]
    query = select(child.c.tenant, *columns).where(~owner)

    def finding(row: RowMapping) -> Finding:
        return Finding(
            kind=FindingKind.ORPHAN,
            problem=f"there is no {row[column]!r} in {parent.name}, to which it belongs",
            table=child.name,
            row="/".join(str(row[name]) for name in named_by),
            tenant=row["tenant"],
            column=column,
            key=(row["tenant"], *(row[name] for name in named_by)),
        )

    return Relation(table=child.name, query=query, finding=finding)


def _order() -> Relation:
    waiting = OutboxStatus.WAITING.value
    head_due_s = (
        select(OUTBOX.c.due_s)
        .where(
            OUTBOX.c.tenant == OUTBOX_QUEUES.c.tenant,
            OUTBOX.c.queue == OUTBOX_QUEUES.c.id,
            OUTBOX.c.status == waiting,
        )
        .order_by(OUTBOX.c.number)
        .limit(1)
        .scalar_subquery()
    )
    query = select(OUTBOX_QUEUES.c.tenant, OUTBOX_QUEUES.c.id).where(
        OUTBOX_QUEUES.c.blocked_by.is_(None), OUTBOX_QUEUES.c.due_s.is_distinct_from(head_due_s)
    )

    def finding(row: RowMapping) -> Finding:
        return Finding(
            kind=FindingKind.ORDER,
            problem="what is noted as due is not the first effect that waits",
            table=OUTBOX_QUEUES.name,
            row=row["id"],
            tenant=row["tenant"],
            key=(row["tenant"], row["id"]),
        )

    return Relation(table=OUTBOX_QUEUES.name, query=query, finding=finding)


RELATIONS: Final = (
    _gaps(),
    _orphans(ENTRIES, "session", SESSIONS, named_by=("session", "seq")),
    _orphans(RUNS, "session", SESSIONS, named_by=("id",)),
    _orphans(CHUNKS, "document", DOCUMENTS, named_by=("document", "number")),
    _orphans(DOCUMENT_INDEXES, "document", DOCUMENTS, named_by=("document",)),
    _orphans(OUTBOX, "queue", OUTBOX_QUEUES, named_by=("id",)),
    _order(),
)
"""All of them. Approvals and effects name sessions of callers that need not be stored here."""
