"""What agents remember from one conversation to the next: this file holds `Memory`."""

from __future__ import annotations

import logging
import math
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from smallhold.exceptions import ConfigError, SmallholdError, UnknownSessionError
from smallhold.messages import JsonObject
from smallhold.runtimes.protocol import Embedder
from smallhold.state.database import Database, TenantDatabase
from smallhold.state.memory.erasure import ErasureReport, Outcome, Place, PlaceReport
from smallhold.state.memory.export import export_of
from smallhold.state.memory.fact import Fact, Provenance
from smallhold.state.memory.lifetime import judged_now
from smallhold.state.memory.payloads import kept
from smallhold.state.memory.recalled import Recalled, RecalledFact, recalled
from smallhold.state.memory.revision import Statement
from smallhold.state.memory.rows import FactRows
from smallhold.state.memory.searching import FactSearch
from smallhold.state.memory.storing import FactWriter
from smallhold.state.memory.vectors import FactEmbedder
from smallhold.state.memory.wording import attribute_name, subject_name, value_text
from smallhold.state.recall import TokenCounter

_BY_HAND: Final = Provenance()
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What was removed because its time was over."""

    facts: int
    is_clock_doubtful: bool = False
    """The clock is so far ahead of the last use that nothing was removed by it."""


class Memory:
    """Facts about subjects, for one tenant, with where they are from and what they replaced.

    A subject is whom or what facts are about, such as a customer's number. All that is written is
    durable when the call returns. Several processes may use one memory at once.
    """

    def __init__(
        self,
        database: TenantDatabase,
        *,
        clock: Callable[[], float],
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
        embedder: FactEmbedder | None = None,
    ) -> None:
        """Name the rows; nothing is opened yet.

        Args:
            database: The tenant's part of the database.
            clock: Gives Unix time in seconds.
            new_id: Gives ids that were never given before, in any process.
            embedder: Compares meanings; without one, words alone count.
        """
        self._rows = FactRows(database=database)
        self._clock = clock
        self._new_id = new_id
        self._writer = FactWriter(rows=self._rows, clock=clock, new_id=new_id)
        self._search = FactSearch(rows=self._rows, clock=clock, embedder=embedder)

    def using(self, embedder: Embedder, *, fingerprint: str | None = None) -> Memory:
        """Give the same memory with another embedder, best a sentence model.

        Facts are embedded when they are first recalled with it, and their vectors are kept.

        Args:
            embedder: Computes vectors of facts and messages.
            fingerprint: What tells its model from others; by default it is found by a probe.
        """
        return Memory(
            self._rows.database,
            clock=self._clock,
            new_id=self._new_id,
            embedder=FactEmbedder(embedder, fingerprint=fingerprint),
        )

    async def remember(
        self,
        subject: str,
        attribute: str,
        value: str,
        *,
        confidence_ratio: float = 1.0,
        provenance: Provenance = _BY_HAND,
        expires_s: float | None = None,
    ) -> Fact:
        """Remember the one value of a subject's attribute.

        The same value again strengthens what is known. Another one takes its place, and the old one
        stays as history.

        Args:
            subject: Whom or what it is about.
            attribute: What of the subject; case, `_` and `-` do not matter.
            value: What is so.
            confidence_ratio: How sure it is, 0 to 1.
            provenance: Where it is from.
            expires_s: Unix time from which it is no longer recalled. For a value that is known
                already, `None` leaves its time as it is.

        Raises:
            ConfigError: A text is empty, too long or no text, or a number is out of its range.
            StateError: It could not be stored.
        """
        statement = Statement(
            value=value_text(value),
            confidence_ratio=_ratio(confidence_ratio),
            provenance=kept(provenance),
            expires_s=_time(expires_s),
            is_list=False,
            at_s=self._clock(),
        )
        return await self._writer.store(subject_name(subject), attribute_name(attribute), statement)

    async def remember_also(
        self,
        subject: str,
        attribute: str,
        value: str,
        *,
        confidence_ratio: float = 1.0,
        provenance: Provenance = _BY_HAND,
        expires_s: float | None = None,
    ) -> Fact:
        """Remember one of several values of a subject's attribute, such as each of two allergies.

        Other values stay. Arguments and errors are those of `remember`.
        """
        statement = Statement(
            value=value_text(value),
            confidence_ratio=_ratio(confidence_ratio),
            provenance=kept(provenance),
            expires_s=_time(expires_s),
            is_list=True,
            at_s=self._clock(),
        )
        return await self._writer.store(subject_name(subject), attribute_name(attribute), statement)

    async def facts(self, subject: str) -> tuple[Fact, ...]:
        """List what holds of a subject now, in the order in which it was stated first."""
        key = await self._rows.subject_key(subject_name(subject))
        async with self._rows.database.reading() as connection:
            now_s = judged_now(self._clock(), mark_s=await self._rows.mark(connection))
            found = await self._rows.current(connection, key)
        return tuple(one.fact for one in found if not one.fact.is_expired(now_s))

    async def history(self, subject: str, attribute: str | None = None) -> tuple[Fact, ...]:
        """List all that was ever remembered of a subject, in the order in which it was stated.

        Args:
            subject: Whom or what it is about.
            attribute: Only what was said of this; `None` is everything.
        """
        name = subject_name(subject)
        if attribute is None:
            key = await self._rows.subject_key(name)
        else:
            key = await self._rows.attribute_key(name, attribute_name(attribute))
        async with self._rows.database.reading() as connection:
            if attribute is None:
                return await self._rows.of_subject(connection, key)
            return await self._rows.of_attribute(connection, key)

    async def subjects(self) -> tuple[str, ...]:
        """List whom anything is remembered of, sorted."""
        async with self._rows.database.reading() as connection:
            return await self._rows.subjects(connection)

    async def forget(self, fact_id: str) -> bool:
        """Remove one fact, and tell whether it was there. What it replaced stays history.

        Its row is overwritten at once; copies in the write-ahead log and in backups are not.
        `erase` is what leaves no trace.
        """
        return await self._writer.drop(fact_id)

    async def prune(self, *, trusts_clock: bool = False) -> Pruned:
        """Remove the facts whose time is over.

        Args:
            trusts_clock: Go by the clock also where it is more than a year ahead of the last use,
                which may mean that it is wrong.
        """
        removed = await self._writer.drop_expired(trusts_clock=trusts_clock)
        if removed is None:
            _LOG.warning("memory.clock_doubtful")
            return Pruned(facts=0, is_clock_doubtful=True)
        return Pruned(facts=removed)

    async def recall(
        self,
        text: str,
        *,
        subject: str | None = None,
        limit: int | None = None,
        budget_tokens: int | None = None,
        count_tokens: TokenCounter | None = None,
    ) -> Recalled:
        """Find the facts that a message is about, the best first, within a budget.

        Of one subject every fact may come, those that have nothing to do with the message last: who
        somebody is matters even where nobody mentions it. Among all subjects only what fits the
        message comes.

        Args:
            text: What was said.
            subject: Whose facts; `None` searches all subjects, which reads all of their rows.
            limit: The most facts.
            budget_tokens: The most tokens that their text may cost.
            count_tokens: Counts them; needed for a budget.

        Raises:
            ConfigError: The subject is no text, or a budget comes without a counter.
            StateError: The database cannot be read.
        """
        if budget_tokens is not None and count_tokens is None:
            remedy = "give `count_tokens` too, such as the runtime's own"
            raise ConfigError(field="budget_tokens", value=budget_tokens, remedy=remedy)
        name = None if subject is None else subject_name(subject)
        found = [
            RecalledFact(
                fact=fact,
                score=score,
                text=fact.line if name is not None else f"{fact.subject}: {fact.line}",
            )
            for fact, score in await self._search.rank(text, subject=name)
            if name is not None or score > 0
        ]
        return await recalled(
            found, limit=limit, budget_tokens=budget_tokens, count_tokens=count_tokens
        )

    async def export(self, subject: str) -> JsonObject:
        """Give all that is remembered of a subject, history and provenance included, as JSON."""
        name = subject_name(subject)
        return export_of(name, await self.history(name), exported_s=self._clock())

    async def erase(self, subject: str, *, sessions: Sequence[str] = ()) -> ErasureReport:
        """Remove a subject for good: rows, history, vectors, indexes, log and reachable backups.

        A SQLite file is written anew as a whole, which takes seconds for each gigabyte and keeps
        other writers waiting. What was said in conversations belongs to their sessions and stays,
        unless they are named. Erasing twice does no harm.

        Args:
            subject: Whom or what to forget.
            sessions: Ids of sessions of this tenant to delete as well.

        Raises:
            ConfigError: The subject is no text.
            StateError: The rows could not be removed; none was.
        """
        from smallhold.state.memory.erasing import Eraser  # noqa: PLC0415 - seldom used

        database = self._rows.database.database
        if not isinstance(database, Database):
            remedy = "make the memory from a `State`"
            raise ConfigError(field="database", value=type(database).__name__, remedy=remedy)
        key = await self._rows.subject_key(subject_name(subject))
        # First, so that the file that is written anew holds them no more.
        deleted = [await self._delete_session(session) for session in sessions]
        eraser = Eraser(database=database, tenant=self._rows.database.tenant)
        report = await eraser.erase(key, now_s=self._clock())
        return replace(report, places=(*report.places, *deleted))

    async def _delete_session(self, session: str) -> PlaceReport:
        from smallhold.state.sessions import SessionStore  # noqa: PLC0415 - seldom used

        outcome, detail = Outcome.ERASED, ""
        try:
            await SessionStore(self._rows.database, clock=self._clock).delete(session)
        except UnknownSessionError:
            outcome = Outcome.NOTHING
        except SmallholdError as error:
            outcome, detail = Outcome.LEFT, str(error)
        return PlaceReport(place=Place.SESSION, name=session, outcome=outcome, detail=detail)


def _ratio(confidence_ratio: float) -> float:
    if not 0 <= confidence_ratio <= 1:
        raise ConfigError(field="confidence_ratio", value=confidence_ratio, remedy="give 0 to 1")
    return float(confidence_ratio)


def _time(expires_s: float | None) -> float | None:
    if expires_s is None:
        return None
    if not math.isfinite(expires_s):
        remedy = "give a Unix time in seconds, or `None` for never"
        raise ConfigError(field="expires_s", value=expires_s, remedy=remedy)
    return float(expires_s)
