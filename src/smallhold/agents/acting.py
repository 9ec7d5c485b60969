"""From a call to what came of it: this file holds the running of a decision's calls."""

from __future__ import annotations

from dataclasses import dataclass

from smallhold.agents.grounding import ungrounded_arguments
from smallhold.agents.guardrails import ResultCheck, ToolCheck, run_tool_policy, run_tool_result
from smallhold.agents.loops import earlier_run
from smallhold.agents.planning import PlannedCall
from smallhold.agents.record import TurnRecord
from smallhold.agents.repair import Fault, sound_tool
from smallhold.agents.result import Refusal, Step
from smallhold.agents.signatures import described
from smallhold.agents.turn_settings import TurnRequest, TurnSettings
from smallhold.messages import Role, ToolCall
from smallhold.tools import AnyTool, RunContext, UnknownTool, run_tool


@dataclass(slots=True, kw_only=True)
class Actor:
    """Runs calls, or says to the model why one was not run."""

    settings: TurnSettings
    request: TurnRequest
    record: TurnRecord
    missing: tuple[str, ...] = ()
    """What the latest decision's calls need and only the user can know, in words."""

    async def act(self, planned: PlannedCall) -> Step:
        """Run one call if it may run; the step is in the record afterwards."""
        tool = self.settings.tools.find(planned.call.name)
        step = await self._result(planned, tool)
        self.record.steps.append(step)
        return step

    async def _result(self, planned: PlannedCall, tool: AnyTool | UnknownTool) -> Step:
        sound = sound_tool(planned, tool)
        if isinstance(sound, Fault):
            return self._refusal(planned, sound)
        fault = self._refused(planned.call, sound)
        if fault is None:
            fault = await self._forbidden(planned.call, sound)
        return await self._ran(planned, sound) if fault is None else self._refusal(planned, fault)

    def _refused(self, call: ToolCall, tool: AnyTool) -> Fault | None:
        """Find why a sound call must not run all the same; `None` if it may."""
        if missing := self._invented(tool, call):
            self.missing = (*self.missing, *missing)
            message = f"Not done, something is missing. Ask for: {'; '.join(missing)}."
            return Fault(refusal=Refusal.UNGROUNDED, message=message)
        earlier = earlier_run(self.record.steps, call)
        if earlier is not None:
            done = "tried" if earlier.is_error else "done"
            message = f"Already {done}, with this result: {earlier.content}"
            return Fault(refusal=Refusal.REPEATED, message=message)
        over = self._over_budget(tool)
        return None if over is None else Fault(refusal=Refusal.BUDGET, message=over)

    def _invented(self, tool: AnyTool, call: ToolCall) -> tuple[str, ...]:
        """Describe the arguments whose values nobody said, though they cannot be composed."""
        heard = (self.settings.instructions, *self.record.conversation)
        # What the agent itself wrote proves nothing: it may have been invented then.
        said = [message.content for message in heard if message.role is not Role.ASSISTANT]
        checked = {
            name: value
            for name, value in call.arguments.items()
            if name not in tool.schema.composed
        }
        return described(tool.schema, ungrounded_arguments(checked, said))

    def _over_budget(self, tool: AnyTool) -> str | None:
        ran = [step.call.name for step in self.record.steps if step.ran]
        limit = self.settings.max_calls
        if limit is not None and len(ran) >= limit:
            return f"Not done: this run may make {_times(limit)}, and has. Answer now."
        limit = tool.max_calls_per_run
        if limit is not None and ran.count(tool.name) >= limit:
            return (
                f"Not done: `{tool.name}` may run {_times(limit)} for one message, and has. "
                "Go on with what you know."
            )
        return None

    async def _forbidden(self, call: ToolCall, tool: AnyTool) -> Fault | None:
        check = ToolCheck(
            call=call,
            tool=tool.schema,
            steps=tuple(self.record.steps),
            session=self.request.session,
            context=self.request.context,
        )
        work = run_tool_policy(self.settings.guardrails, check)
        review = await self.record.deadline.within(work)
        self.record.flags += review.flags
        return Fault(refusal=Refusal.POLICY, message=review.text) if review.is_blocked else None

    async def _ran(self, planned: PlannedCall, tool: AnyTool) -> Step:
        call, within = planned.call, self.record.deadline.within
        context = RunContext(value=self.request.context, session=self.request.session)
        outcome = await within(run_tool(tool, call, context=context))
        check = ResultCheck(
            call=call,
            content=outcome.content,
            is_error=outcome.is_error,
            steps=tuple(self.record.steps),
            session=self.request.session,
            context=self.request.context,
        )
        review = await within(run_tool_result(self.settings.guardrails, check))
        self.record.flags += review.flags
        return Step(
            call=call,
            content=review.text,
            is_error=outcome.is_error or review.is_blocked,
            ran=True,
            margin=planned.margin,
            error=outcome.error,
            decision=self.record.decisions,
        )

    def _refusal(self, planned: PlannedCall, fault: Fault) -> Step:
        return Step(
            call=planned.call,
            content=fault.message,
            is_error=True,
            ran=False,
            margin=planned.margin,
            refusal=fault.refusal,
            decision=self.record.decisions,
        )


def _times(count: int) -> str:
    return "one call" if count == 1 else f"{count} calls"
