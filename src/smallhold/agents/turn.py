"""One user message from arrival to answer: this file holds the turn loop.

Decide, fill, act, and again until there is an answer. The loop hands out events as they happen and
always ends: with an answer, a question, at a limit, or when it leads nowhere.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from smallhold.agents.acting import Actor
from smallhold.agents.asking import Asker
from smallhold.agents.closing import Closing
from smallhold.agents.endings import CANNOT_TEXT, asking_text, giving_up_text
from smallhold.agents.loops import is_fruitless, is_going_round, is_wanted_again
from smallhold.agents.output_types import OutputProblem
from smallhold.agents.planning import Intent, Plan, PlannedCall, ScoredPlanner
from smallhold.agents.record import TurnRecord
from smallhold.agents.repair import MAX_REPAIRS, calls_of_speech, failed_repairs, told_apart
from smallhold.agents.result import MENDABLE, Ending, Refusal, Result, Step
from smallhold.agents.speaking import Speaker, Speech
from smallhold.agents.turn_settings import TurnRequest, TurnSettings
from smallhold.messages import (
    Event,
    FinishReason,
    TokenEvent,
    ToolCallEvent,
    ToolResultEvent,
)


@dataclass(slots=True, kw_only=True)
class Turn:
    """One turn under way. Iterate `events` once; `result` is there afterwards."""

    settings: TurnSettings
    request: TurnRequest
    record: TurnRecord
    """Its conversation is for the caller to keep, unless the message was rejected."""
    result: Result[object] | None = None
    is_rejected: bool = False
    """A guardrail blocked the user's message: nothing of the turn belongs into the session."""
    ending: Ending | None = None
    planned: tuple[PlannedCall, ...] = ()
    """The calls of the latest decision; none when it was for an answer."""
    is_settled: bool = False
    """No further call makes sense, or none is wanted."""
    is_repeating: bool = False
    """The last decision was for calls that had been made before."""
    asker: Asker = field(init=False)
    actor: Actor = field(init=False)
    closing: Closing = field(init=False)

    def __post_init__(self) -> None:
        """Make the parts, which share the record."""
        settings, request, record = self.settings, self.request, self.record
        self.asker = Asker(settings=settings, request=request, record=record)
        self.actor = Actor(settings=settings, request=request, record=record)
        self.closing = Closing(settings=settings, request=request, record=record)

    async def events(self) -> AsyncGenerator[Event]:
        """Run the turn. Close the generator if you do not exhaust it.

        Raises:
            DeadlineExceededError: the run's time was up.
            InvalidOutputError: the answer is not of the type that was asked for.
            SmallholdError: the runtime failed.
        """
        self.is_rejected = await self.closing.rejects()
        if self.is_rejected:
            self.ending = Ending.BLOCKED
        else:
            self.asker.tools = await self.record.deadline.within(
                self.settings.selection.offered(self.record.conversation)
            )
        while self.ending is None:
            async with aclosing(self._step()) as events:
                async for event in events:
                    yield event  # noqa: ASYNC119 - callers close this generator
        token, self.result = await self.closing.close(self.ending)
        if token is not None:
            yield token

    async def _step(self) -> AsyncGenerator[Event]:
        """Take one decision and act on it."""
        async with aclosing(self._decide()) as tokens:
            async for token in tokens:
                yield token  # noqa: ASYNC119 - `events` closes this generator
        if self.ending is not None or not self.planned:
            return
        calls = [planned.call for planned in self.planned]
        if is_going_round(self.record.steps, calls):
            self._give_up(Ending.REPEATED_CALL)
            return
        steps: list[Step] = []
        for planned in self.planned:
            yield ToolCallEvent(call=planned.call)
            step = await self.actor.act(planned)
            steps.append(step)
            yield ToolResultEvent(
                call=step.call, content=step.content, is_error=step.is_error, error=step.error
            )
        self.record.called(calls, steps)
        self._judge(steps)

    def _judge(self, steps: Sequence[Step]) -> None:
        """Decide on what the latest steps mean for the run."""
        record = self.record
        if self.actor.missing and self.asker.is_own:
            self._end(Ending.ASKED, asking_text(self.actor.missing, record.steps))
        elif steps[-1].refusal in MENDABLE and failed_repairs(record.steps) > MAX_REPAIRS:
            self._give_up(Ending.INVALID_CALLS)
        elif is_fruitless(record.steps):
            self._give_up(Ending.NO_PROGRESS)
        elif record.decisions >= self.settings.max_steps:
            self._give_up(Ending.STEP_LIMIT)
        limit = self.settings.max_calls
        is_used_up = limit is not None and sum(step.ran for step in record.steps) >= limit
        self.is_settled = is_used_up or (self.asker.is_own and _is_hopeless(steps))

    async def _decide(self) -> AsyncGenerator[TokenEvent]:
        """Find the next calls, or stream the answer and set the ending."""
        self.planned = ()
        await self.asker.fit()
        has_choice = bool(self.asker.tools) and not self.is_settled
        if has_choice and self.asker.is_own:
            self._follow(await self._plan())
            if self.planned or self.ending is not None:
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
        may_refuse = self.request.output is None and not any(step.ran for step in self.record.steps)
        match plan.intent:
            case Intent.CALL:
                new = [
                    planned
                    for planned in plan.calls
                    if not is_wanted_again(self.record.steps, planned.call)
                ]
                # Wanting what it already has, a small model is done and does not know it.
                self.is_repeating = not new
                self.planned = told_apart(new, self.record.conversation)
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
            self.planned = told_apart(calls, self.record.conversation)
            return
        if takes_calls:
            self.record.decided(Intent.ANSWER, None)
        if speech.is_repeating:
            self.ending = Ending.REPEATING
        elif self.request.output is not None:
            self._take(speech)
        elif not speech.text.strip():
            self._give_up(Ending.REPEATED_CALL if self.is_repeating else Ending.NO_ANSWER)
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
            self.is_settled = self.asker.is_own
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
