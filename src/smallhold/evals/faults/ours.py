"""Our own agent in a case: this file holds how `Agent` is put on a stage."""

from __future__ import annotations

from contextlib import aclosing
from typing import Final

import anyio

from smallhold.agents import DEFAULT_GUARDRAILS, Agent, Config, Ending, Result
from smallhold.agents.guardrails import Guardrail
from smallhold.agents.guardrails import Stage as GuardrailStage
from smallhold.evals.faults.case import Evidence, Exchange, FaultCase
from smallhold.evals.faults.desk import Desk, tools_of
from smallhold.evals.faults.model import Form
from smallhold.evals.faults.playing import runtime_of
from smallhold.evals.faults.stage import Stage
from smallhold.messages import DoneEvent, ErrorEvent, TokenEvent
from smallhold.tools import tool_from_function

SESSION: Final = "case"
_CUT: Final = {Ending.ANSWER_CUT, Ending.REPEATING}


async def play_ours(
    case: FaultCase, *, form: Form, guardrails: tuple[Guardrail, ...] = DEFAULT_GUARDRAILS
) -> Evidence:
    """Run a case with an agent of default settings, and collect what it comes to.

    Args:
        case: The case.
        form: How the model's calls reach the agent.
        guardrails: What the agent is given; by default what every agent is.
    """
    stage = Stage(case, form=form)
    trial = _Trial(stage, guardrails=guardrails)
    with anyio.move_on_after(case.limits.time_s) as scope:
        await trial.run()
    stage.close()
    return Evidence(
        answers=tuple(trial.answers),
        flags=tuple(trial.flags),
        is_cut=trial.is_cut,
        error=trial.error,
        has_ended=not scope.cancelled_caught,
        effects=stage.effects,
        model_calls=stage.model_calls,
        was_refused=stage.was_refused,
    )


class _Trial:
    def __init__(self, stage: Stage, *, guardrails: tuple[Guardrail, ...]) -> None:
        self._stage = stage
        self._desk = Desk(stage.act)
        limits = stage.case.limits
        config = Config(name="desk", max_tokens=limits.answer_tokens, guardrails=guardrails)
        self._agent = Agent(config, runtime=runtime_of(stage))
        self.answers: list[str] = []
        self.flags: list[str] = []
        self.is_cut = False
        self.error: str | None = None

    async def run(self) -> None:
        try:
            for exchange in self._stage.case.exchanges:
                self._offer(exchange)
                await self._answer(exchange)
        except Exception as error:  # noqa: BLE001 - a mark of the case
            self.error = f"{type(error).__name__}: {error}"

    async def _answer(self, exchange: Exchange) -> None:
        if self._stage.case.is_streamed:
            self.answers.append(await self._streamed(exchange))
            return
        result = await self._agent.run(exchange.text, session=SESSION)
        self.answers.append(result.text)
        self._note(result)

    async def _streamed(self, exchange: Exchange) -> str:
        shown = ""
        async with aclosing(self._agent.stream(exchange.text, session=SESSION)) as events:
            async for event in events:
                match event:
                    case TokenEvent(text=text):
                        shown += text
                    case ErrorEvent(error=error):
                        raise error
                    case DoneEvent() | _:
                        pass
        return shown

    def _note(self, result: Result) -> None:
        self.is_cut = self.is_cut or result.ending in _CUT
        self.flags += [flag.reason for flag in result.flags if flag.stage is GuardrailStage.OUTPUT]

    def _offer(self, exchange: Exchange) -> None:
        for name in self._agent.tools.names:
            self._agent.tools.remove(name)
        timeout_s = self._stage.case.limits.tool_timeout_s
        for name, function in tools_of(self._desk, exchange.tools).items():
            tool = tool_from_function(function, name=name, timeout_s=timeout_s)
            self._agent.tools.add(tool)
