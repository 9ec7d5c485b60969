"""Facts in the database: this file holds the statements that read and write them.

Every statement is a constant and is held to one tenant by its connection.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import String, bindparam, delete, insert, select, update

from smallhold.exceptions import DamagedRecordError
from smallhold.state.database import TenantConnection, TenantDatabase
from smallhold.state.memory.fact import Fact
from smallhold.state.memory.payloads import PAYLOAD_VERSION, check_version, fact_of, payload_of
from smallhold.state.memory.vectors import StoredVector, packed, unpacked
from smallhold.state.memory.wording import attribute_form
from smallhold.state.tables.memory import FACTS, MEMORY_MARKS, SUBJECTS

_LOG = logging.getLogger(__name__)
VECTORS: Final = f"{FACTS.name}.vector"
"""Name under which vectors are sealed, so that none can stand in a payload's place."""
_SUBJECT: Final = bindparam("wanted_subject", type_=String())
_ID: Final = bindparam("wanted_id", type_=String())

_SUBJECT_ROW: Final = select(SUBJECTS.c.revision, SUBJECTS.c.next_position).where(
    SUBJECTS.c.subject_key == _SUBJECT
)
_ALL_SUBJECTS: Final = select(SUBJECTS.c.subject_key, SUBJECTS.c.payload)
_NEW_SUBJECT: Final = insert(SUBJECTS)
_CHANGE_SUBJECT: Final = (
    update(SUBJECTS)
    .where(SUBJECTS.c.subject_key == _SUBJECT)
    .values(revision=bindparam("new_revision"), next_position=bindparam("new_position"))
)
_DROP_SUBJECT: Final = delete(SUBJECTS).where(SUBJECTS.c.subject_key == _SUBJECT)

_FACT_COLUMNS: Final = (
    FACTS.c.id,
    FACTS.c.subject_key,
    FACTS.c.position,
    FACTS.c.created_s,
    FACTS.c.expires_s,
    FACTS.c.superseded_s,
    FACTS.c.superseded_by,
    FACTS.c.payload,
)
_OF_SUBJECT: Final = (
    select(*_FACT_COLUMNS).where(FACTS.c.subject_key == _SUBJECT).order_by(FACTS.c.position)
)
_OF_ATTRIBUTE: Final = (
    select(*_FACT_COLUMNS)
    .where(FACTS.c.attribute_key == bindparam("wanted_attribute"))
    .order_by(FACTS.c.position)
)
_CURRENT_OF_ATTRIBUTE: Final = _OF_ATTRIBUTE.where(FACTS.c.superseded_s.is_(None))
_CURRENT: Final = (
    select(*_FACT_COLUMNS, FACTS.c.embedding_model, FACTS.c.vector)
    .where(FACTS.c.superseded_s.is_(None))
    .order_by(FACTS.c.subject_key, FACTS.c.position)
)
_CURRENT_OF_SUBJECT: Final = _CURRENT.where(FACTS.c.subject_key == _SUBJECT)
_BY_ID: Final = select(*_FACT_COLUMNS).where(FACTS.c.id == _ID)
_EXPIRED: Final = select(FACTS.c.id).where(FACTS.c.expires_s <= bindparam("over_s"))
_ANY_OF_SUBJECT: Final = select(FACTS.c.id).where(FACTS.c.subject_key == _SUBJECT).limit(1)
_NEW_FACT: Final = insert(FACTS)
_CHANGE_FACT: Final = (
    update(FACTS)
    .where(FACTS.c.id == _ID)
    .values(
        expires_s=bindparam("new_expires_s"),
        superseded_s=bindparam("new_superseded_s"),
        superseded_by=bindparam("new_superseded_by"),
        payload=bindparam("new_payload"),
    )
)
_SET_VECTOR: Final = (
    update(FACTS)
    .where(FACTS.c.id == _ID)
    .values(embedding_model=bindparam("new_model"), vector=bindparam("new_vector"))
)
_DROP_FACT: Final = delete(FACTS).where(FACTS.c.id == _ID)
_UNLINK: Final = (
    update(FACTS)
    .where(FACTS.c.superseded_by == _ID)
    .values(superseded_by=bindparam("new_superseded_by"))
)
_MARK: Final = select(MEMORY_MARKS.c.written_s)
_NEW_MARK: Final = insert(MEMORY_MARKS)
_MOVE_MARK: Final = update(MEMORY_MARKS).values(written_s=bindparam("new_written_s"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRow:
    """What is known of a subject apart from its facts."""

    revision: str
    next_position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedFact:
    """A fact with its vector, where it has one."""

    fact: Fact
    vector: StoredVector | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRows:
    """One tenant's facts."""

    database: TenantDatabase

    async def subject_key(self, subject: str) -> str:
        """Give the keyed hash by which a subject is looked up."""
        return await self.database.blind(f"subject\0{subject}")

    async def attribute_key(self, subject: str, attribute: str) -> str:
        """Give the keyed hash by which a subject's attribute is looked up."""
        form = attribute_form(attribute)
        return await self.database.blind(f"attribute\0{subject}\0{form}")

    async def subject(self, connection: TenantConnection, key: str) -> SubjectRow | None:
        """Read what is known of a subject."""
        found = (await connection.execute(_SUBJECT_ROW, {"wanted_subject": key})).first()
        if found is None:
            return None
        return SubjectRow(revision=found.revision, next_position=found.next_position)

    async def subjects(self, connection: TenantConnection) -> tuple[str, ...]:
        """List the names of all subjects, sorted."""
        found = (await connection.execute(_ALL_SUBJECTS)).all()
        names: list[str] = []
        for row in found:
            payload = self.database.unseal(row.payload, table=SUBJECTS.name, row=row.subject_key)
            check_version(payload, record=f"{SUBJECTS.name} {row.subject_key}")
            if isinstance(payload, dict) and isinstance(payload.get("subject"), str):
                names.append(str(payload["subject"]))
        return tuple(sorted(names))

    async def add_subject(
        self, connection: TenantConnection, key: str, row: SubjectRow, *, subject: str
    ) -> None:
        """Write a subject that is new."""
        payload = self.database.seal(
            {"v": PAYLOAD_VERSION, "subject": subject}, table=SUBJECTS.name, row=key
        )
        values = {
            "subject_key": key,
            "revision": row.revision,
            "next_position": row.next_position,
            "payload": payload,
        }
        await connection.execute(_NEW_SUBJECT, values)

    async def change_subject(self, connection: TenantConnection, key: str, row: SubjectRow) -> None:
        """Write that a subject's facts are others now."""
        values = {
            "wanted_subject": key,
            "new_revision": row.revision,
            "new_position": row.next_position,
        }
        await connection.execute(_CHANGE_SUBJECT, values)

    async def of_subject(self, connection: TenantConnection, key: str) -> tuple[Fact, ...]:
        """Read all facts of a subject, history included, in their order."""
        return self._facts(await connection.execute(_OF_SUBJECT, {"wanted_subject": key}))

    async def of_attribute(self, connection: TenantConnection, key: str) -> tuple[Fact, ...]:
        """Read all facts of an attribute, history included, in their order."""
        return self._facts(await connection.execute(_OF_ATTRIBUTE, {"wanted_attribute": key}))

    async def current_of_attribute(
        self, connection: TenantConnection, key: str
    ) -> tuple[Fact, ...]:
        """Read the facts of an attribute that nothing has superseded, in their order."""
        return self._facts(
            await connection.execute(_CURRENT_OF_ATTRIBUTE, {"wanted_attribute": key})
        )

    async def current(
        self, connection: TenantConnection, key: str | None
    ) -> tuple[EmbeddedFact, ...]:
        """Read what nothing has superseded, of a subject or of all, with the vectors.

        A damaged row is left out and logged: the others serve all the same.
        """
        if key is None:
            found = await connection.execute(_CURRENT)
        else:
            found = await connection.execute(_CURRENT_OF_SUBJECT, {"wanted_subject": key})
        return tuple(filter(None, map(self._embedded, found.all())))

    async def find(self, connection: TenantConnection, fact_id: str) -> tuple[Fact, str] | None:
        """Find a fact by its id; give it with its subject's key."""
        found = (await connection.execute(_BY_ID, {"wanted_id": fact_id})).first()
        return None if found is None else (self._fact(found), found.subject_key)

    async def expired(self, connection: TenantConnection, over_s: float) -> tuple[str, ...]:
        """Find the ids of the facts that had expired by a time."""
        return tuple((await connection.execute(_EXPIRED, {"over_s": over_s})).scalars().all())

    async def add(
        self, connection: TenantConnection, fact: Fact, *, subject_key: str, attribute_key: str
    ) -> None:
        """Write a new fact."""
        values = {
            "id": fact.id,
            "subject_key": subject_key,
            "attribute_key": attribute_key,
            "position": fact.position,
            "created_s": fact.created_s,
            "expires_s": fact.expires_s,
            "superseded_s": fact.superseded_s,
            "superseded_by": fact.superseded_by,
            "payload": self._payload(fact),
        }
        await connection.execute(_NEW_FACT, values)

    async def replace(self, connection: TenantConnection, fact: Fact) -> None:
        """Write a known fact anew."""
        values = {
            "wanted_id": fact.id,
            "new_expires_s": fact.expires_s,
            "new_superseded_s": fact.superseded_s,
            "new_superseded_by": fact.superseded_by,
            "new_payload": self._payload(fact),
        }
        await connection.execute(_CHANGE_FACT, values)

    async def drop(self, connection: TenantConnection, fact: Fact) -> None:
        """Remove a fact; what it took the place of points to what took its own."""
        values = {"wanted_id": fact.id, "new_superseded_by": fact.superseded_by}
        await connection.execute(_UNLINK, values)
        await connection.execute(_DROP_FACT, {"wanted_id": fact.id})

    async def drop_empty_subject(self, connection: TenantConnection, key: str) -> bool:
        """Remove a subject of which no fact is left; tell whether it was removed."""
        left = (await connection.execute(_ANY_OF_SUBJECT, {"wanted_subject": key})).first()
        if left is not None:
            return False
        await connection.execute(_DROP_SUBJECT, {"wanted_subject": key})
        return True

    async def set_vectors(
        self, connection: TenantConnection, vectors: Sequence[tuple[str, StoredVector]]
    ) -> None:
        """Write the vectors of facts by their ids."""
        if not vectors:
            return
        rows = [
            {
                "wanted_id": fact_id,
                "new_model": vector.model,
                "new_vector": self.database.seal_bytes(
                    packed(vector.values), table=VECTORS, row=fact_id
                ),
            }
            for fact_id, vector in vectors
        ]
        await connection.execute(_SET_VECTOR, rows)

    async def mark(self, connection: TenantConnection) -> float | None:
        """Read the newest plausible time at which something was written."""
        return (await connection.execute(_MARK)).scalar()

    async def set_mark(
        self, connection: TenantConnection, written_s: float, *, is_new: bool
    ) -> None:
        """Write the newest plausible time at which something was written."""
        if is_new:
            await connection.execute(_NEW_MARK, {"written_s": written_s})
        else:
            await connection.execute(_MOVE_MARK, {"new_written_s": written_s})

    def _payload(self, fact: Fact) -> bytes:
        return self.database.seal(payload_of(fact), table=FACTS.name, row=fact.id)

    def _facts(self, found: Any) -> tuple[Fact, ...]:
        return tuple(self._fact(row) for row in found.all())

    def _fact(self, row: Any) -> Fact:
        return fact_of(self.database.unseal(row.payload, table=FACTS.name, row=row.id), row)

    def _embedded(self, row: Any) -> EmbeddedFact | None:
        try:
            fact = self._fact(row)
        except DamagedRecordError:
            _LOG.warning("memory.fact_damaged", extra={"fact": row.id})
            return None
        try:
            vector = self._vector(row)
        except DamagedRecordError:
            # It is computed again.
            vector = None
        return EmbeddedFact(fact=fact, vector=vector)

    def _vector(self, row: Any) -> StoredVector | None:
        if row.vector is None or row.embedding_model is None:
            return None
        plain = self.database.unseal_bytes(row.vector, table=VECTORS, row=row.id)
        return StoredVector(model=row.embedding_model, values=unpacked(plain, record=row.id))
