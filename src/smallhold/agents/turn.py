"""One user message from arrival to answer: this file holds the turn loop.

Decide, fill, act, and again until there is an answer. The loop hands out events as they happen and
always ends: with an answer, a question, at a limit, or when it leads nowhere.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from smallhold.agents.acting import Actor, Cleared, Refused, Unapproved
from smallhold.agents.asking import Asker
from smallhold.agents.closing import Closing
from smallhold.agents.endings import CANNOT_TEXT, asking_text, giving_up_text, waiting_text
from smallhold.agents.loops import is_fruitless, is_going_round, is_wanted_again
from smallhold.agents.output_types import OutputProblem
from smallhold.agents.planning import Intent, Plan, PlannedCall, ScoredPlanner
from smallhold.agents.record import TurnRecord
from smallhold.agents.repair import MAX_REPAIRS, calls_of_speech, failed_repairs, told_apart
from smallhold.agents.result import MENDABLE, Ending, Refusal, Result, Step
from smallhold.agents.runs import Approver, Journal, NoApprover, SilentJournal
from smallhold.agents.speaking import Speaker, Speech
from smallhold.agents.turn_settings import TurnRequest, TurnSettings
from smallhold.messages import (
    Event,
    FinishReason,
    Role,
    TokenEvent,
    ToolCallEvent,
    ToolResultEvent,
)

if TYPE_CHECKING:
    from smallhold.state.approvals import Approval


@dataclass(slots=True, kw_only=True)
class Turn:
    """One turn under way. Iterate `events` once; `result` is there afterwards."""

    settings: TurnSettings
    request: TurnRequest
    record: TurnRecord
    """Where the turn stands: at its beginning, or where an earlier process left it."""
    journal: Journal = field(default_factory=SilentJournal)
    """Told of each step before it shows."""
    approver: Approver = field(default_factory=NoApprover)
    is_degraded: Callable[[], bool] = bool
    """Tells whether a smaller model than the agent's own has answered."""
    result: Result[object] | None = None
    is_rejected: bool = False
    """A guardrail blocked the user's message: nothing of the turn belongs into the session."""
    ending: Ending | None = None
    approvals: tuple[Approval, ...] = ()
    """What a person must decide on before the turn can go on."""
    asker: Asker = field(init=False)
    actor: Actor = field(init=False)
    closing: Closing = field(init=False)

    def __post_init__(self) -> None:
        """Make the parts, which share the record."""
        settings, request, record = self.settings, self.request, self.record
        self.asker = Asker(settings=settings, request=request, record=record)
        self.actor = Actor(
            settings=settings, request=request, record=record, approver=self.approver
        )
        self.closing = Closing(settings=settings, request=request, record=record)

    async def events(self) -> AsyncGenerator[Event]:
        """Run the turn. Close the generator if you do not exhaust it.

        Raises:
            DeadlineExceededError: the run's time was up.
            InvalidOutputError: the answer is not of the type that was asked for.
            SmallholdError: the runtime failed.
        """
        await self._open()
        while self.ending is None:
            async with aclosing(self._step()) as events:
                async for event in events:
                    yield event  # noqa: ASYNC119 - callers close this generator
        if self.ending is Ending.AWAITING_APPROVAL:
            token, self.result = self._wait()
        else:
            token, self.result = await self.closing.close(self.ending)
        self.result = replace(self.result, degraded=self.is_degraded())
        if token is not None:
            yield token
        await self.journal.closed(self.record, self.result, is_rejected=self.is_rejected)

    async def _open(self) -> None:
        """Look at the message and choose the tools; a resumed turn keeps those it had."""
        record = self.record
        if record.offered is None:
            self.is_rejected = await self.closing.rejects()
            if self.is_rejected:
                self.ending = Ending.BLOCKED
                return
            work = self.settings.selection.offered(record.conversation)
            self.asker.tools = await record.deadline.within(work)
            record.offered = tuple(tool.name for tool in self.asker.tools)
        else:
            offered = record.offered
            self.asker.tools = tuple(
                tool for tool in self.settings.tools.schemas if tool.name in offered
            )
        await self._remind()

    async def _remind(self) -> None:
        """Find what is known about the message."""
        recall, record = self.settings.recall, self.record
        asked = [message for message in record.conversation if message.role is Role.USER]
        if recall is None or not asked:
            return
        work = recall.passages(
            asked[-1].content,
            session=self.request.session,
            count_tokens=self.settings.fitter.count_text,
        )
        record.passages = await record.deadline.within(work)

    async def _step(self) -> AsyncGenerator[Event]:
        """Take one decision and act on it; a resumed turn may have decided before."""
        if not self.record.planned:
            async with aclosing(self._decide()) as tokens:
                async for token in tokens:
                    yield token  # noqa: ASYNC119 - `events` closes this generator
            calls = [planned.call for planned in self.record.planned]
            if is_going_round(self.record.steps, calls):
                self._give_up(Ending.REPEATED_CALL)
        if self.ending is None and self.record.planned:
            async with aclosing(self._act()) as events:
                async for event in events:
                    yield event  # noqa: ASYNC119 - `events` closes this generator

    async def _act(self) -> AsyncGenerator[Event]:
        """Run the decision's calls, those that an earlier process has not; or wait for a person."""
        for planned in self.record.remaining:
            clearance = await self._clearance(planned)
            if clearance is None:
                self.ending = Ending.AWAITING_APPROVAL
                return
            starts = clearance.call if isinstance(clearance, Cleared) else None
            await self.journal.acting(self.record, starts=starts)
            yield ToolCallEvent(call=planned.call if starts is None else starts)
            step = await self.actor.act(planned, clearance)
            await self.journal.acted(self.record)
            yield ToolResultEvent(
                call=step.call, content=step.content, is_error=step.is_error, error=step.error
            )
        self._judge(self.record.called())

    async def _clearance(self, planned: PlannedCall) -> Cleared | Refused | None:
        """Find out whether a call may run; `None` where a person has not decided yet."""
        clearance = await self.actor.clear(planned)
        if not isinstance(clearance, Unapproved):
            return clearance
        # What a person is asked about must not change any more.
        await self.journal.acting(self.record, starts=None)
        asked = await self.actor.ask(clearance)
        if isinstance(asked, Cleared | Refused):
            return asked
        self.approvals = (asked, *await self._asked_ahead(planned))
        return None

    async def _asked_ahead(self, waiting: PlannedCall) -> tuple[Approval, ...]:
        """Ask about the decision's later calls as well, so that a person is asked only once."""
        later = self.record.remaining[self.record.remaining.index(waiting) + 1 :]
        asked: list[Approval] = []
        for planned in later:
            clearance = await self.actor.clear(planned)
            if isinstance(clearance, Unapproved):
                approval = await self.actor.ask(clearance)
                asked += [] if isinstance(approval, Cleared | Refused) else [approval]
        return tuple(asked)

    def _wait(self) -> tuple[TokenEvent, Result[object]]:
        """Say what the turn waits for; the conversation does not hold that."""
        result = self.record.result(Ending.AWAITING_APPROVAL)
        said = "" if self.closing.is_held else result.text
        text = f"{result.text}\n\n{waiting_text(self.approvals)}".strip()
        waiting = replace(result, text=text, approvals=self.approvals)
        return TokenEvent(text=text.removeprefix(said)), waiting

    def _judge(self, steps: Sequence[Step]) -> None:
        """Decide on what the latest steps mean for the run."""
        record = self.record
        if record.missing and self.asker.is_own:
            self._end(Ending.ASKED, asking_text(record.missing, record.steps))
        elif steps[-1].refusal in MENDABLE and failed_repairs(record.steps) > MAX_REPAIRS:
            self._give_up(Ending.INVALID_CALLS)
        elif is_fruitless(record.steps):
            self._give_up(Ending.NO_PROGRESS)
        elif record.decisions >= self.settings.max_steps:
            self._give_up(Ending.STEP_LIMIT)
        limit = self.settings.max_calls
        is_used_up = limit is not None and sum(step.ran for step in record.steps) >= limit
        record.is_settled = is_used_up or (self.asker.is_own and _is_hopeless(steps))

    async def _decide(self) -> AsyncGenerator[TokenEvent]:
        """Find the next calls, or stream the answer and set the ending."""
        await self.asker.fit()
        has_choice = bool(self.asker.tools) and not self.record.is_settled
        if has_choice and self.asker.is_own:
            self._follow(await self._plan())
            if self.record.planned or self.ending is not None:
                return
        is_native = has_choice and not self.asker.is_own
        speaker = Speaker(
            runtime=self.settings.runtime,
            request=self.asker.native() if is_native else self.asker.answer(),
            tools=self.asker.tools,
            deadline=self.record.deadline,
        )
        async with aclosing(speaker.pieces()) as pieces:
            async for piece in pieces:
                if isinstance(piece, Speech):
                    self._hear(piece, takes_calls=is_native)
                elif token := self.closing.say(piece):
                    yield token  # noqa: ASYNC119 - `_step` closes this generator

    async def _plan(self) -> Plan:
        planner = ScoredPlanner(runtime=self.settings.runtime, max_tokens=self.settings.max_tokens)
        work = planner.plan(
            self.asker.decision(),
            # One call may be required; after it the model is free to answer.
            tool_choice="auto" if self.record.steps else self.settings.tool_choice,
            call_id=f"call_{len(self.record.steps) + 1}",
        )
        plan = await self.record.deadline.within(work)
        self.record.usage += plan.usage
        self.record.decided(plan.intent, plan.margin)
        return plan

    def _follow(self, plan: Plan) -> None:
        """Do what a plan says; without calls or an ending, it is time to answer."""
        # An answer of a type is wanted whatever the tools can do.
        # What no tool can do may stand in what is known.
        may_refuse = (
            self.request.output is None
            and not self.record.passages
            and not any(step.ran for step in self.record.steps)
        )
        match plan.intent:
            case Intent.CALL:
                new = [
                    planned
                    for planned in plan.calls
                    if not is_wanted_again(self.record.steps, planned.call)
                ]
                # Wanting what it already has, a small model is done and does not know it.
                self.record.is_repeating = not new
                self.record.planned = told_apart(new, self.record.conversation)
            case Intent.ASK:
                self._end(Ending.ASKED, asking_text(plan.missing, self.record.steps))
            case Intent.CANNOT if may_refuse:
                self._end(Ending.CANNOT, CANNOT_TEXT)
            case Intent.CANNOT | Intent.ANSWER:
                pass

    def _hear(self, speech: Speech, *, takes_calls: bool) -> None:
        """Decide on what the model said."""
        self.record.usage += speech.usage
        calls = calls_of_speech(speech, self.settings.tools) if takes_calls else ()
        if calls:
            self.record.decided(Intent.CALL, None)
            self.record.planned = told_apart(calls, self.record.conversation)
            return
        if takes_calls:
            self.record.decided(Intent.ANSWER, None)
        if speech.is_repeating:
            self.ending = Ending.REPEATING
        elif self.request.output is not None:
            self._take(speech)
        elif not speech.text.strip():
            self._give_up(Ending.REPEATED_CALL if self.record.is_repeating else Ending.NO_ANSWER)
        else:
            is_cut = speech.finish_reason is FinishReason.LENGTH
            self.ending = Ending.ANSWER_CUT if is_cut else Ending.ANSWERED

    def _take(self, speech: Speech) -> None:
        """Read the answer as the type that was asked for, or let the model mend it."""
        if self.request.output is None:
            return
        value = self.request.output.parse(speech.text)
        if isinstance(value, OutputProblem):
            self.record.unsay()
            self.asker.correct(speech.text, value, reason=speech.finish_reason)
            self.record.is_settled = self.asker.is_own
        else:
            self.record.output = value
            self.ending = Ending.ANSWERED

    def _give_up(self, ending: Ending) -> None:
        self._end(ending, giving_up_text(ending, self.record.steps))

    def _end(self, ending: Ending, text: str) -> None:
        self.ending = ending
        self.closing.text = text


def _is_hopeless(steps: Sequence[Step]) -> bool:
    """Whether none of these calls was even tried, and wanting them again would change nothing."""
    return all(
        step.refusal is not None and step.refusal is not Refusal.INVALID_ARGUMENTS for step in steps
    )
