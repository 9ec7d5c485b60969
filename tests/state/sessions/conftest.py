"""What tests of sessions share: this file holds messages, turns and a store with a set clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from tests.state.set_clock import SetClock

from smallhold.messages import JsonObject, Message, Role
from smallhold.state import Database, State
from smallhold.state.sessions import EntryKind, RunLog, SessionStore, message_json

LEASE_S = 60.0


def user(text: str) -> Message:
    return Message(role=Role.USER, content=text)


def agent(text: str) -> Message:
    return Message(role=Role.ASSISTANT, content=text)


def asked(text: str) -> JsonObject:
    return {"v": 1, "message": message_json(user(text))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A store of sessions, and the usual things that are done with it."""

    state: State
    clock: SetClock

    @property
    def store(self) -> SessionStore:
        return self.state.sessions

    async def begin(self, session: str | None, text: str = "Hello") -> RunLog:
        return await self.store.accept(session, asked(text), lease_s=LEASE_S)

    async def turn(self, session: str, text: str, answer: str = "Yes.") -> RunLog:
        """Ask and answer."""
        log = await self.begin(session, text)
        await log.append((EntryKind.DECISION, {"v": 1, "calls": []}))
        after = (*log.conversation, user(text), agent(answer))
        await log.end({"v": 1, "text": answer}, conversation=after)
        return log

    async def turns(self, session: str, texts: Sequence[str]) -> list[RunLog]:
        return [await self.turn(session, text) for text in texts]

    async def interrupted(self, session: str | None, text: str = "Hello") -> RunLog:
        """Begin a run and stop working on it, as a process that dies does."""
        log = await self.begin(session, text)
        log.leave()
        return log


@pytest.fixture
async def desk(database: Database) -> Desk:
    clock = SetClock()
    return Desk(state=State(database, clock=clock), clock=clock)
