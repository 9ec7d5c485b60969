"""Sessions that travel: this file holds their export to JSON Lines and the import.

The first line tells of the session and how many entries follow; each other line is an entry. What
is imported is foreign: every line is checked before anything is stored.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import select

from smallhold.exceptions import (
    ConfigError,
    DamagedRecordError,
    NewerFormatError,
    SessionExistsError,
    SessionImportError,
)
from smallhold.messages import JsonObject, JsonValue, Message
from smallhold.state.database import TenantConnection, TenantDatabase
from smallhold.state.database.database import check_id
from smallhold.state.sessions.branching import NewSession, write_session
from smallhold.state.sessions.conversations import first_problem, read_message
from smallhold.state.sessions.entries import FORMAT, Entry, EntryKind, Session
from smallhold.state.sessions.rows import (
    as_session,
    changed,
    known_session,
    read_entries,
    refuse_unusable,
    session_row,
)
from smallhold.state.tables.metadata import ID_CHARS
from smallhold.state.tables.sessions import RUNS

LINE_LIMIT_CHARS: Final = 16_000_000
"""Longest line that is read: a conversation of a million tokens, several times over."""
ENTRIES_LIMIT: Final = 1_000_000
PAYLOAD_VERSION: Final = 1

EntryCheck: TypeAlias = Callable[[Entry], None]
"""Looks at one entry; raises `ValueError` where it is not sound."""
ModelT = TypeVar("ModelT", bound=BaseModel)


def any_entry(entry: Entry) -> None:
    """Find nothing wrong."""
    del entry


class _Head(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Literal["session"]
    format: Annotated[int, Field(ge=1)]
    id: Annotated[str, Field(min_length=1, max_length=ID_CHARS)]
    title: str
    created_s: Annotated[float, Field(allow_inf_nan=False)]
    entries: Annotated[int, Field(ge=1, le=ENTRIES_LIMIT)]


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    seq: Annotated[int, Field(ge=1)]
    run: Annotated[str, Field(min_length=1, max_length=ID_CHARS, pattern=r"^[^\x00-\x1f\x7f]+$")]
    kind: Annotated[EntryKind, Field(strict=False)]
    created_s: Annotated[float, Field(allow_inf_nan=False)]
    payload: dict[str, Any]

    def entry(self) -> Entry:
        return Entry(
            seq=self.seq,
            run=self.run,
            kind=self.kind,
            created_s=self.created_s,
            payload=self.payload,
        )


def head_line(session: Session) -> str:
    """Write the first line of an export."""
    return _written({
        "kind": "session",
        "format": session.format,
        "id": session.id,
        "title": session.title,
        "created_s": session.created_s,
        "entries": session.entries,
    })


def entry_line(entry: Entry) -> str:
    """Write an entry as a line."""
    return _written({
        "seq": entry.seq,
        "run": entry.run,
        "kind": entry.kind.value,
        "created_s": entry.created_s,
        "payload": entry.payload,
    })


def read_lines(
    lines: Iterable[str], *, check: EntryCheck = any_entry
) -> tuple[str, str, tuple[Entry, ...]]:
    """Read an export.

    Args:
        lines: The lines, with or without their ends; empty ones are passed over.
        check: Looks at each entry as well.

    Returns:
        The session's id, its title and its entries.

    Raises:
        SessionImportError: a line is not sound; the error names it.
        NewerFormatError: a newer version has written it.
    """
    numbered = _numbered(lines)
    number, text = next(numbered, (1, ""))
    _refuse_newer(number, text)
    head = _parsed(number, text, _Head)
    found: list[Entry] = []
    runs: set[str] = set()
    conversation: tuple[Message, ...] = ()
    for number, text in numbered:
        if len(found) == head.entries:
            raise SessionImportError(
                line=number, problem=f"after {head.entries} entries comes more"
            )
        entry = _parsed(number, text, _Line).entry()
        try:
            _refuse_out_of_order(entry, found, runs=runs)
            conversation = _followed(entry, conversation)
            check(entry)
        except (ValueError, DamagedRecordError) as error:
            raise SessionImportError(line=number, problem=str(error)) from error
        found.append(entry)
        runs.add(entry.run)
    if len(found) < head.entries:
        problem = f"the file ends after {len(found)} of {head.entries} entries"
        raise SessionImportError(line=number + 1, problem=problem)
    return head.id, head.title, tuple(found)


def _numbered(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, start=1):
        if len(line) > LINE_LIMIT_CHARS:
            problem = f"it is longer than {LINE_LIMIT_CHARS:,} characters"
            raise SessionImportError(line=number, problem=problem)
        if text := line.strip():
            yield number, text


def _parsed(number: int, text: str, model: type[ModelT]) -> ModelT:
    try:
        value = json.loads(text)
        _refuse_surrogates(text)
        return model.model_validate(value)
    except ValidationError as error:
        raise SessionImportError(line=number, problem=first_problem(error)) from error
    except (ValueError, RecursionError) as error:
        raise SessionImportError(line=number, problem="it is no JSON") from error


def _refuse_surrogates(text: str) -> None:
    """Refuse what cannot be stored as UTF-8; escaped ones are as they were exported."""
    text.encode()


def _refuse_newer(number: int, text: str) -> None:
    """Say of a newer export that it is newer, whatever else has changed in it."""
    try:
        value = cast("JsonValue", json.loads(text))
    except (ValueError, RecursionError) as error:
        raise SessionImportError(line=number, problem="it is no JSON") from error
    found = value.get("format") if isinstance(value, dict) else None
    if isinstance(found, int) and found > FORMAT:
        raise NewerFormatError(
            what="The exported session", found=str(found), supported=f"up to {FORMAT}"
        )


def _refuse_out_of_order(entry: Entry, before: Sequence[Entry], *, runs: Collection[str]) -> None:
    """Refuse an entry that cannot follow those before it, whose runs are given for speed.

    Raises:
        ValueError: It cannot.
    """
    if entry.seq != len(before) + 1:
        msg = f"it is entry {entry.seq}, and {len(before) + 1} comes next"
        raise ValueError(msg)
    if entry.payload.get("v") != PAYLOAD_VERSION:
        msg = f"payload.v: its form is not {PAYLOAD_VERSION}, the one that this version knows"
        raise ValueError(msg)
    last = before[-1] if before else None
    is_begun = last is not None and last.run == entry.run
    begins = {EntryKind.MESSAGE, EntryKind.EDITED}
    if is_begun and entry.kind in begins and last is not None and last.kind is EntryKind.EDITED:
        return
    if is_begun == (entry.kind in begins):
        msg = "a run begins with a message, and goes on without another run in between"
        raise ValueError(msg)
    if not is_begun and last is not None and last.kind not in {EntryKind.ENDED, EntryKind.FAILED}:
        msg = "a run begins before the one before it has ended"
        raise ValueError(msg)
    if not is_begun and entry.run in runs:
        msg = "a run goes on after another one"
        raise ValueError(msg)


def _followed(entry: Entry, conversation: tuple[Message, ...]) -> tuple[Message, ...]:
    match entry.kind:
        case EntryKind.MESSAGE:
            read_message(entry.payload.get("message"))
            return conversation
        case EntryKind.ENDED | EntryKind.EDITED:
            return changed(conversation, entry.payload, record=str(entry.seq))
        case _:
            return conversation


def _written(value: JsonObject) -> str:
    # ASCII: a line break of Unicode inside a text would end the line for many readers.
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Writes sessions out and takes them in."""

    rows: TenantDatabase
    clock: Callable[[], float]
    new_id: Callable[[], str]

    async def export_lines(self, session: str) -> tuple[str, ...]:
        """Write a session as lines; see `SessionStore.export_lines`."""
        async with self.rows.reading() as connection:
            row = await known_session(connection, session)
            if row["format"] > FORMAT:
                refuse_unusable(row)
            found = await read_entries(self.rows, connection, session, first=1, last=row["head"])
            head = as_session(self.rows, row)
        return (head_line(head), *(entry_line(entry) for entry in found))

    async def import_lines(
        self, lines: Iterable[str], *, to: str | None, check: EntryCheck
    ) -> Session:
        """Take a session in; see `SessionStore.import_lines`."""
        exported, title, entries = read_lines(lines, check=check)
        name = exported if to is None else to
        try:
            check_id("session", name)
        except ConfigError as error:
            if to is not None:
                raise
            raise SessionImportError(line=1, problem=f"id: {error.remedy}") from error
        async with self.rows.writing() as connection:
            if await session_row(connection, name) is not None:
                raise SessionExistsError(session=name)
            named = await self._with_free_runs(connection, entries)
            new = NewSession(id=name, title=title, entries=named)
            await write_session(self.rows, connection, new, now_s=self.clock())
            return as_session(self.rows, await known_session(connection, name))

    async def _with_free_runs(
        self, connection: TenantConnection, entries: Sequence[Entry]
    ) -> tuple[Entry, ...]:
        """Give all runs new ids if one of theirs is taken."""
        ids = dict.fromkeys(entry.run for entry in entries)
        taken = await connection.execute(select(RUNS.c.id).where(RUNS.c.id.in_(list(ids))).limit(1))
        if taken.first() is None:
            return tuple(entries)
        renamed = {run: self.new_id() for run in ids}
        return tuple(replace(entry, run=renamed[entry.run]) for entry in entries)
