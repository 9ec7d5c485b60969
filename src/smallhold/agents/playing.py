"""A run under way: this file holds how its turn is begun, and what it hands out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import anyio

from smallhold.agents.result import Result
from smallhold.agents.runs import RunInHand
from smallhold.agents.serving import Served, Serving
from smallhold.agents.turn import Turn
from smallhold.exceptions import ModelOutputError
from smallhold.messages import Event


@dataclass(slots=True, kw_only=True)
class Playing:
    """One run of an agent. Iterate `events` once; `result` is there afterwards."""

    run: RunInHand
    serving: Serving
    turn_on: Callable[[Served], Turn]
    """Begins the turn, once it is known what runs it."""
    _turn: Turn | None = field(default=None, init=False)

    async def events(self) -> AsyncGenerator[Event]:
        """Hand out a turn's events with the run's id; note how it fails, or that it was left.

        Raises:
            SmallholdError: the run failed.
        """
        run = self.run
        try:
            async with self.serving.serve(run.record.deadline) as served:
                self._turn = self.turn_on(served)
                async with aclosing(self._turn.events()) as events:
                    async for event in events:
                        yield replace(event, run_id=run.run_id)  # noqa: ASYNC119 - callers close
        except BaseException as error:
            with anyio.CancelScope(shield=True):
                await run.journal.failed(error)
            raise

    @property
    def result(self) -> Result[object]:
        """What the run came to. Raises `ModelOutputError` before its end."""
        if self._turn is None or self._turn.result is None:
            name = self.serving.runtime.name
            raise ModelOutputError(runtime=name, problem="a run without an end")
        return replace(self._turn.result, run_id=self.run.run_id)
