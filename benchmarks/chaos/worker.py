"""What is killed: this file holds the process that answers messages until it dies.

It first resumes what an earlier one left, then takes new messages. What a caller has seen of a run
is noted as acknowledged: none of that may be missing afterwards.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import anyio
from benchmarks.chaos.scenario import Ledger, message_of, session_of, shop_agent

from smallhold.agents import Agent
from smallhold.messages import DoneEvent, ErrorEvent, ToolCallEvent, ToolResultEvent
from smallhold.state import State

READY: Final = "ready"
DATABASE: Final = "state.db"
EFFECTS: Final = "effects.log"
SEEN: Final = "seen.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a chaos run keeps its files."""

    folder: Path

    def state(self) -> State:
        """Make the state."""
        return State(self.folder / DATABASE)

    @property
    def effects(self) -> Ledger:
        """What tools have done."""
        return Ledger(path=self.folder / EFFECTS)

    @property
    def seen(self) -> Ledger:
        """What callers have seen: `call RUN CALL`, `result RUN CALL`, `done RUN`."""
        return Ledger(path=self.folder / SEEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What one worker is for."""

    folder: str
    first_order: int
    """Number of its first message."""
    is_warm: bool
    """It says that it is ready once it has resumed what was left, and not before."""


def work(life: Life, ready: Connection) -> None:
    """Resume what was left, then answer messages; until somebody kills this process."""
    anyio.run(_work, life, ready)


async def _work(life: Life, ready: Connection) -> None:
    place, order = Place(folder=Path(life.folder)), life.first_order
    state = place.state()
    agent = shop_agent(state, place.effects)
    await state.database.open()
    if not life.is_warm:
        ready.send(READY)
    await resume_all(agent, place)
    if life.is_warm:
        await _answer(agent, place, order)
        order += 1
        ready.send(READY)
    while True:
        await _answer(agent, place, order)
        order += 1


async def resume_all(agent: Agent, place: Place) -> int:
    """Resume every run that was interrupted; gives how many there were."""
    state = place.state() if agent.state is None else agent.state
    left = [run.id for run in await state.sessions.unfinished() if run.is_interrupted]
    for run in left:
        result = await agent.resume(run)
        place.seen.note("done", result.run_id)
    return len(left)


async def _answer(agent: Agent, place: Place, order: int) -> None:
    async with aclosing(agent.stream(message_of(order), session=session_of(order))) as events:
        async for event in events:
            match event:
                case ToolCallEvent(call=call, run_id=run):
                    place.seen.note("call", run, call.id)
                case ToolResultEvent(call=call, run_id=run):
                    place.seen.note("result", run, call.id)
                case DoneEvent(run_id=run):
                    place.seen.note("done", run)
                case ErrorEvent(error=error):
                    raise error
                case _:
                    pass
