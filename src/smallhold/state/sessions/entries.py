"""What a session's log is made of: this file holds its entries, its runs and its summary."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from smallhold.messages import JsonObject

FORMAT: Final = 1
"""Format of the sessions that this version writes; a session of a higher one is refused."""


class EntryKind(StrEnum):
    """What one entry of a log says."""

    MESSAGE = "message"
    """A run was accepted; `message` is the user's."""
    DECISION = "decision"
    """The model wants these calls; none of them has been started yet."""
    CALL_STARTED = "call_started"
    """A tool is about to run: from here on nobody knows whether it has, until there is a result."""
    RESULT = "result"
    """A call came to this, whether it was run or refused."""
    ENDED = "ended"
    """The run's answer; `conversation` is what the session's became."""
    FAILED = "failed"
    """The run ended without an answer; the conversation is what it was before."""
    RESUMED = "resumed"
    """Another process, or the same one later, goes on with the run."""
    EDITED = "edited"
    """The conversation goes back to what it was before an earlier message."""


class RunStatus(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    """It has not ended. Whether anybody still works on it is another question."""
    WAITING = "waiting"
    """It waits for a person's approval; no process needs to live meanwhile."""
    ENDED = "ended"
    FAILED = "failed"
    """It raised an error. It can be resumed for as long as nothing followed it in its session."""
    ABANDONED = "abandoned"
    """Somebody gave it up. It can no longer be resumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a session's log."""

    seq: int
    """Its number in the session, from 1."""
    run: str
    kind: EntryKind
    created_s: float
    """Unix seconds."""
    payload: JsonObject
    """Always with `v`, the version of its own form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One message's way to its answer."""

    id: str
    session: str
    status: RunStatus
    epoch: int
    """How often somebody has begun to work on it."""
    first_seq: int
    """Number of its message's entry."""
    started_s: float
    """Unix seconds, as `updated_s`."""
    updated_s: float
    is_live: bool = False
    """Whether a process works on it now, as far as can be told from here."""

    @property
    def is_interrupted(self) -> bool:
        """Whether it has not ended and nobody works on it: it can be resumed or abandoned."""
        return self.status is RunStatus.RUNNING and not self.is_live


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What is known of a session without reading its log."""

    id: str
    title: str
    """How its first message begins; empty where that cannot be read."""
    created_s: float
    """Unix seconds, as `updated_s`."""
    updated_s: float
    entries: int
    turns: int
    """Runs that were accepted."""
    open_run: str | None = None
    """The run that must end, or be abandoned, before the next message."""
    parent: str | None = None
    """The session that this one was branched from."""
    parent_seq: int | None = None
    is_quarantined: bool = False
    """An entry of it is damaged; nothing is appended to it any more."""
    format: int = FORMAT
