"""Writing facts down: this file holds the writer of statements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from smallhold.state.database import TenantConnection
from smallhold.state.memory.fact import Fact
from smallhold.state.memory.lifetime import is_doubtful, judged_now, moved_mark
from smallhold.state.memory.revision import Statement, revise
from smallhold.state.memory.rows import FactRows, SubjectRow


@dataclass(frozen=True, slots=True, kw_only=True)
class FactWriter:
    """Changes one tenant's facts, each time in one transaction."""

    rows: FactRows
    clock: Callable[[], float]
    """Gives Unix time in seconds."""
    new_id: Callable[[], str]

    async def store(self, subject: str, attribute: str, statement: Statement) -> Fact:
        """Write a statement down and give the fact that holds it now.

        Args:
            subject: Checked by `subject_name`.
            attribute: Checked by `attribute_name`.
            statement: What is stated of them.
        """
        subject_key = await self.rows.subject_key(subject)
        attribute_key = await self.rows.attribute_key(subject, attribute)
        async with self.rows.database.writing() as connection:
            mark_s = await self.rows.mark(connection)
            current = await self.rows.current_of_attribute(connection, attribute_key)
            now_s = judged_now(statement.at_s, mark_s=mark_s)
            revision = revise(current, statement, now_s=now_s)
            if revision.confirmed in current and not revision.superseded:
                return revision.confirmed
            row = await self.rows.subject(connection, subject_key)
            position = 0 if row is None else row.next_position
            if revision.confirmed is None:
                fact = self._new_fact(subject, attribute, statement, position=position)
                await self.rows.add(
                    connection, fact, subject_key=subject_key, attribute_key=attribute_key
                )
                position += 1
            else:
                fact = revision.confirmed
                await self.rows.replace(connection, fact)
            for old in revision.superseded:
                over = replace(old, superseded_s=statement.at_s, superseded_by=fact.id)
                await self.rows.replace(connection, over)
            changed = SubjectRow(revision=self.new_id(), next_position=position)
            if row is None:
                await self.rows.add_subject(connection, subject_key, changed, subject=subject)
            else:
                await self.rows.change_subject(connection, subject_key, changed)
            await self._move_mark(connection, statement.at_s, mark_s)
        return fact

    async def drop(self, fact_id: str) -> bool:
        """Remove a fact; tell whether it was there."""
        async with self.rows.database.writing() as connection:
            return await self._drop(connection, [fact_id]) > 0

    async def drop_expired(self, *, trusts_clock: bool) -> int | None:
        """Remove the facts whose time is over; `None` where the clock is too doubtful for it."""
        clock_s = self.clock()
        async with self.rows.database.writing() as connection:
            mark_s = await self.rows.mark(connection)
            if is_doubtful(clock_s, mark_s=mark_s):
                if not trusts_clock:
                    return None
                await self.rows.set_mark(connection, clock_s, is_new=False)
            return await self._drop(connection, await self.rows.expired(connection, clock_s))

    async def _drop(self, connection: TenantConnection, ids: Sequence[str]) -> int:
        removed = 0
        subjects: dict[str, None] = {}
        for fact_id in ids:
            # One after another: each may have taken the place of the one before.
            found = await self.rows.find(connection, fact_id)
            if found is not None:
                fact, subject_key = found
                await self.rows.drop(connection, fact)
                subjects[subject_key] = None
                removed += 1
        for key in subjects:
            row = await self.rows.subject(connection, key)
            if row is not None and not await self.rows.drop_empty_subject(connection, key):
                changed = replace(row, revision=self.new_id())
                await self.rows.change_subject(connection, key, changed)
        return removed

    async def _move_mark(
        self, connection: TenantConnection, clock_s: float, mark_s: float | None
    ) -> None:
        moved_s = moved_mark(clock_s, mark_s=mark_s)
        if moved_s is not None:
            await self.rows.set_mark(connection, moved_s, is_new=mark_s is None)

    def _new_fact(
        self, subject: str, attribute: str, statement: Statement, *, position: int
    ) -> Fact:
        return Fact(
            id=self.new_id(),
            subject=subject,
            attribute=attribute,
            value=statement.value,
            confidence_ratio=statement.confidence_ratio,
            provenance=statement.provenance,
            position=position,
            created_s=statement.at_s,
            is_list=statement.is_list,
            expires_s=statement.expires_s,
        )
