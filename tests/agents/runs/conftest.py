"""What tests of durable runs share: this file holds a shop that can be cut off anywhere."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from smallhold.agents import Agent, Config
from smallhold.messages import Event
from smallhold.runtimes import Capability, Runtime
from smallhold.state import State
from smallhold.state.sessions import Entry
from smallhold.testing import NATIVE, OWN_DECODER, Script, ScriptedRuntime
from smallhold.tools import RunContext, tool_from_function

SESSION = "till"


@dataclass
class Shop:
    """A shop that keeps its runs; a new agent stands for a new process."""

    state: State
    kind: frozenset[Capability] = OWN_DECODER
    runs: list[str] = field(default_factory=list[str])
    keys: list[str] = field(default_factory=list[str])

    def charge(self, context: RunContext[object], order: str) -> str:
        """Charge an order.

        Args:
            context: Whose run it is.
            order: Its number.
        """
        self.runs.append(f"charge({order})")
        self.keys.append(context.call_id)
        return f"Order {order} is charged."

    def note(self, context: RunContext[object], order: str) -> str:
        """Note an order in the book.

        Args:
            context: Whose run it is.
            order: Its number.
        """
        self.runs.append(f"note({order})")
        self.keys.append(context.call_id)
        return f"Order {order} is noted."

    def refund(self, order: str, amount: int = 10) -> str:
        """Pay an order back.

        Args:
            order: Its number.
            amount: How much.
        """
        self.runs.append(f"refund({order}, {amount})")
        return f"Paid {amount} back."

    def agent(
        self, script: Script = (), config: Config | None = None, *, runtime: Runtime | None = None
    ) -> Agent:
        """Make an agent as another process would: it shares nothing with others but the state."""
        played = ScriptedRuntime(script, capabilities=self.kind)
        return Agent(
            config or Config(name="till"),
            runtime=runtime or played,
            tools=[
                tool_from_function(self.charge),
                tool_from_function(self.note, idempotent=True),
                tool_from_function(self.refund, requires_approval=True),
            ],
            state=self.state,
        )

    async def entries(self, run: str) -> list[Entry]:
        found = await self.state.sessions.run(run)
        return list(await self.state.sessions.entries(found.session, run=run))

    async def kinds(self, run: str) -> list[str]:
        return [entry.kind.value for entry in await self.entries(run)]


@dataclass(frozen=True)
class CutOff:
    """Plays a run and leaves it as a process does that is killed at some event.

    The stream is not closed: what a process would do on its way out is not done.
    """

    shop: Shop

    async def at(
        self, agent: Agent, text: str, when: Callable[[Event], bool]
    ) -> tuple[str, list[Event]]:
        """Run until an event of this kind was seen; gives the run's id and what was seen."""
        branch = f"before-{len(await self.shop.state.sessions.list())}"
        seen: list[Event] = []
        async with aclosing(agent.stream(text, session=SESSION)) as events:
            async for event in events:
                seen.append(event)
                if when(event):
                    (run,) = [r for r in await self.shop.state.sessions.runs(SESSION) if r.is_live]
                    # The branch is the log as a kill at this moment leaves it.
                    copy = await self.shop.state.sessions.branch(SESSION, to=branch)
                    assert run.session == SESSION
                    assert copy.open_run is not None
                    return copy.open_run, seen
        pytest.fail("there was no such event")


@pytest.fixture
async def state(tmp_path: Path) -> AsyncGenerator[State]:
    state = State(tmp_path / "state.db")
    yield state
    await state.aclose()


@pytest.fixture(params=[OWN_DECODER, NATIVE], ids=["own-decoder", "native"])
def shop(request: pytest.FixtureRequest, state: State) -> Shop:
    return Shop(state=state, kind=request.param)


@pytest.fixture
def cut_off(shop: Shop) -> CutOff:
    return CutOff(shop)
