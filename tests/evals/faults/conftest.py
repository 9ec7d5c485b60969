"""What tests of the faults share: this file holds agents that do everything wrong."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import anyio
import pytest
from anyio import to_thread

from smallhold.evals.faults import Calls, Evidence, FaultCase, Line, Stage
from smallhold.evals.faults.desk import Desk, ToolFunction, tools_of
from smallhold.evals.faults.stage import json_object, spoken
from smallhold.messages import Role

PATIENCE_S = 0.5


class CarelessAgent:
    """Runs whatever it reads, checks nothing, and stops at nothing."""

    async def play(self, case: FaultCase) -> Evidence:
        stage = Stage(replace(case, limits=replace(case.limits, time_s=PATIENCE_S)))
        answers: list[str] = []
        errors: list[str] = []
        with anyio.move_on_after(PATIENCE_S) as scope:
            await to_thread.run_sync(self._run, stage, answers, errors, abandon_on_cancel=True)
        effects = stage.effects
        stage.close()
        return Evidence(
            answers=tuple(answers),
            error=errors[0] if errors else None,
            has_ended=not scope.cancelled_caught,
            effects=effects,
            model_calls=stage.model_calls,
            was_refused=stage.was_refused,
        )

    def shown(self, text: str) -> str:
        return text

    def _run(self, stage: Stage, answers: list[str], errors: list[str]) -> None:
        lines: list[Line] = []
        try:
            for exchange in stage.case.exchanges:
                lines.append(Line(role=Role.USER, text=exchange.text))
                tools = tools_of(Desk(stage.act), exchange.tools)
                answers.append(self.shown(self._answer(stage, lines, tools)))
        except Exception as error:  # noqa: BLE001 - a mark of the case
            errors.append(repr(error))

    def _answer(self, stage: Stage, lines: list[Line], tools: dict[str, ToolFunction]) -> str:
        while True:
            reply = stage.reply(lines, tools=tuple(tools))
            text, _ = spoken(reply, max_tokens=stage.case.limits.answer_tokens)
            lines.append(Line(role=Role.ASSISTANT, text=text))
            if not isinstance(reply, Calls):
                return text
            for wish in reply.wishes:
                function = tools[wish.name]
                arguments = json_object(wish.arguments)
                result = function(wish.arguments) if arguments is None else function(**arguments)
                lines.append(Line(role=Role.TOOL, text=json.dumps(result)))


class ManglingAgent(CarelessAgent):
    """Takes out of answers what it does not expect there."""

    def shown(self, text: str) -> str:
        return re.sub(r"[{}<>\[\]`]", "", text.encode("ascii", "ignore").decode())


@pytest.fixture
def careless() -> CarelessAgent:
    return CarelessAgent()


@pytest.fixture
def mangling() -> ManglingAgent:
    return ManglingAgent()
