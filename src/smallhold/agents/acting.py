"""From a call to what came of it: this file holds the running of a decision's calls."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from smallhold.agents.grounding import ungrounded_arguments
from smallhold.agents.guardrails import (
    Flag,
    Outcome,
    ResultCheck,
    Review,
    ToolCheck,
    run_tool_policy,
    run_tool_result,
)
from smallhold.agents.loops import earlier_run
from smallhold.agents.planning import PlannedCall
from smallhold.agents.record import TurnRecord
from smallhold.agents.repair import Fault, sound_tool
from smallhold.agents.result import Refusal, Step
from smallhold.agents.runs.approver import Approver, NoApprover
from smallhold.agents.signatures import described
from smallhold.agents.turn_settings import TurnRequest, TurnSettings
from smallhold.messages import Role, ToolCall
from smallhold.tools import AnyTool, InvalidArguments, RunContext, Tool, run_tool

if TYPE_CHECKING:
    from smallhold.state.approvals import Approval


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """A call that may run."""

    call: ToolCall
    """As it will run: a person may have changed its arguments."""
    tool: AnyTool
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A call that must not run."""

    fault: Fault
    flags: tuple[Flag, ...] = ()
    missing: tuple[str, ...] = ()
    """What it needs and only the user can know, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unapproved:
    """A call that a person must approve first."""

    call: ToolCall
    tool: AnyTool
    why: str
    flags: tuple[Flag, ...] = ()


Clearance: TypeAlias = Cleared | Refused | Unapproved


@dataclass(slots=True, kw_only=True)
class Actor:
    """Runs calls, or says to the model why one was not run."""

    settings: TurnSettings
    request: TurnRequest
    record: TurnRecord
    approver: Approver = field(default_factory=NoApprover)

    async def clear(self, planned: PlannedCall) -> Clearance:
        """Find out whether a call may run; nothing is run, and the record stays as it is."""
        call = planned.call
        tool = self.settings.tools.find(call.name)
        if call.id in self.record.interrupted and not (isinstance(tool, Tool) and tool.idempotent):
            return Refused(fault=_unknown_end(call))
        sound = sound_tool(planned, tool)
        if isinstance(sound, Fault):
            return Refused(fault=sound)
        refused = self._refused(call, sound)
        if refused is not None:
            return refused
        review = await self._policy(call, sound)
        if review.is_blocked:
            fault = Fault(refusal=Refusal.POLICY, message=review.text)
            return Refused(fault=fault, flags=review.flags)
        why = _why_approval(call, sound, review)
        if why is None:
            return Cleared(call=call, tool=sound, flags=review.flags)
        return Unapproved(call=call, tool=sound, why=why, flags=review.flags)

    async def ask(self, unapproved: Unapproved) -> Cleared | Refused | Approval:
        """Ask a person, or act on what was decided.

        Returns:
            The approval itself where nobody has decided yet.
        """
        call, tool = unapproved.call, unapproved.tool
        approval = await self.approver.ask(call, tool, why=unapproved.why)
        if approval is None:
            message = "Not done: this call needs a person's approval, and nobody can be asked."
            fault = Fault(refusal=Refusal.POLICY, message=message)
            return Refused(fault=fault, flags=unapproved.flags)
        if approval.status == "pending":
            return approval
        if approval.status == "approved":
            return _approved(unapproved, approval)
        fault = Fault(refusal=Refusal.DENIED, message=_denied_text(approval))
        return Refused(fault=fault, flags=unapproved.flags)

    async def act(self, planned: PlannedCall, clearance: Cleared | Refused) -> Step:
        """Run a call, or refuse it; the step is in the record afterwards."""
        self.record.flags += clearance.flags
        if isinstance(clearance, Cleared):
            step = await self._ran(planned, clearance)
        else:
            self.record.missing += clearance.missing
            step = self._refusal(planned, clearance.fault)
        self.record.steps.append(step)
        return step

    def _refused(self, call: ToolCall, tool: AnyTool) -> Refused | None:
        """Find why a sound call must not run all the same; `None` if it may."""
        if missing := self._invented(tool, call):
            message = f"Not done, something is missing. Ask for: {'; '.join(missing)}."
            fault = Fault(refusal=Refusal.UNGROUNDED, message=message)
            return Refused(fault=fault, missing=missing)
        earlier = earlier_run(self.record.steps, call)
        if earlier is not None:
            done = "tried" if earlier.is_error else "done"
            message = f"Already {done}, with this result: {earlier.content}"
            return Refused(fault=Fault(refusal=Refusal.REPEATED, message=message))
        over = self._over_budget(tool)
        if over is None:
            return None
        return Refused(fault=Fault(refusal=Refusal.BUDGET, message=over))

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

    async def _policy(self, call: ToolCall, tool: AnyTool) -> Review:
        check = ToolCheck(
            call=call,
            tool=tool.schema,
            steps=tuple(self.record.steps),
            session=self.request.session,
            context=self.request.context,
        )
        return await self.record.deadline.within(run_tool_policy(self.settings.guardrails, check))

    async def _ran(self, planned: PlannedCall, cleared: Cleared) -> Step:
        call, within, request = cleared.call, self.record.deadline.within, self.request
        context = RunContext(
            value=request.context,
            session=request.session,
            call_id=f"{request.run_id}-{call.id}" if request.run_id else call.id,
            run_id=request.run_id,
        )
        outcome = await within(run_tool(cleared.tool, call, context=context))
        check = ResultCheck(
            call=call,
            content=outcome.content,
            is_error=outcome.is_error,
            steps=tuple(self.record.steps),
            session=request.session,
            context=request.context,
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
            # What was interrupted counts as run, so that the same call is not made once more.
            ran=fault.refusal is Refusal.INTERRUPTED,
            margin=planned.margin,
            refusal=fault.refusal,
            decision=self.record.decisions,
        )


def _why_approval(call: ToolCall, tool: AnyTool, review: Review) -> str | None:
    """Say why a person must approve a sound call; `None` where nobody needs to."""
    reasons = [flag.reason for flag in review.flags if flag.outcome is Outcome.APPROVAL]
    if tool.may_require_approval:
        values = tool.validate(call.arguments)
        if isinstance(values, InvalidArguments) or tool.needs_approval(values):
            reasons.insert(0, f"{tool.name} requires approval")
    return "; ".join(reasons) if reasons or review.needs_approval else None


def _approved(unapproved: Unapproved, approval: Approval) -> Cleared | Refused:
    """Clear a call with the arguments that were approved, which may be a person's own."""
    tool = unapproved.tool
    call = replace(unapproved.call, arguments=approval.effective_arguments)
    values = tool.validate(call.arguments)
    if isinstance(values, InvalidArguments):
        message = f"Not done: a person changed the arguments to what cannot run: {values.message}"
        fault = Fault(refusal=Refusal.DENIED, message=message)
        return Refused(fault=fault, flags=unapproved.flags)
    return Cleared(call=call, tool=tool, flags=unapproved.flags)


def _denied_text(approval: Approval) -> str:
    if approval.status == "expired":
        return "Not done: nobody approved this call in time. Do not make it again."
    comment = " ".join((approval.comment or "").split())
    reason = f" They say: {comment}" if comment else ""
    return f"Not done: a person has denied this call. Do not make it again.{reason}"


def _unknown_end(call: ToolCall) -> Fault:
    message = (
        f"Not known: `{call.name}` was started, and then the program was interrupted. It may have "
        "been done or not, and was not started again. Say so."
    )
    return Fault(refusal=Refusal.INTERRUPTED, message=message)


def _times(count: int) -> str:
    return "one call" if count == 1 else f"{count} calls"
