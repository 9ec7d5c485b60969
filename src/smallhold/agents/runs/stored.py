"""Turns as they are stored: this file holds the way from a turn's values to JSON and back.

What is read may have been written by another version, or imported from a foreign file: models of
pydantic check it once, here. Exceptions that tools raised are not kept, only what the model read.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from smallhold.agents.context import DropKind, Dropped
from smallhold.agents.guardrails import Flag, Outcome, Stage
from smallhold.agents.output_types import OutputType
from smallhold.agents.planning import Intent, PlannedCall
from smallhold.agents.record import TurnRecord
from smallhold.agents.result import Ending, Refusal, Result, Step
from smallhold.exceptions import DamagedRecordError
from smallhold.messages import JsonObject, Message, Timing, Usage
from smallhold.state.knowledge import Citation
from smallhold.state.sessions import (
    Change,
    Entry,
    EntryKind,
    StoredCall,
    StoredChange,
    StoredMessage,
)
from smallhold.state.sessions import written as as_json
from smallhold.state.sessions.conversations import first_problem

VERSION: Final[Literal[1]] = 1
"""Version of the payloads' form."""


class _Stored(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class StoredUsage(_Stored):
    """What a generation cost."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0
    forced: int = 0
    passes: int = 0
    drafted: int = 0
    accepted: int = 0

    @classmethod
    def of(cls, usage: Usage) -> StoredUsage:
        """Make it of the plain value."""
        return cls(
            prompt=usage.prompt_tokens,
            cached=usage.cached_tokens,
            completion=usage.completion_tokens,
            forced=usage.forced_tokens,
            passes=usage.passes,
            drafted=usage.drafted_tokens,
            accepted=usage.accepted_tokens,
        )

    def usage(self) -> Usage:
        """Make the plain value."""
        return Usage(
            prompt_tokens=self.prompt,
            cached_tokens=self.cached,
            completion_tokens=self.completion,
            forced_tokens=self.forced,
            passes=self.passes,
            drafted_tokens=self.drafted,
            accepted_tokens=self.accepted,
        )


class StoredFlag(_Stored):
    """What a guardrail noted."""

    guardrail: str
    stage: Annotated[Stage, Field(strict=False)]
    outcome: Annotated[Outcome, Field(strict=False)]
    reason: str

    @classmethod
    def of(cls, flag: Flag) -> StoredFlag:
        """Make it of the plain value."""
        return cls(
            guardrail=flag.guardrail, stage=flag.stage, outcome=flag.outcome, reason=flag.reason
        )

    def flag(self) -> Flag:
        """Make the plain value."""
        return Flag(
            guardrail=self.guardrail, stage=self.stage, outcome=self.outcome, reason=self.reason
        )


class StoredCitation(_Stored):
    """Where a sentence of an answer is from."""

    start: int
    end: int
    source: str
    place: str
    headings: tuple[str, ...] = Field(strict=False)
    page: int | None
    quote: str
    quote_start: int
    quote_end: int
    support: float
    reference: str

    def citation(self) -> Citation:
        """Make the plain value."""
        return Citation(**self.model_dump())


class StoredDropped(_Stored):
    """What of a conversation was left out."""

    kind: Annotated[DropKind, Field(strict=False)]
    what: str
    tokens: int
    messages: int = 0
    reason: str = ""

    @classmethod
    def of(cls, dropped: Dropped) -> StoredDropped:
        """Make it of the plain value."""
        return cls(
            kind=dropped.kind,
            what=dropped.what,
            tokens=dropped.tokens,
            messages=dropped.messages,
            reason=dropped.reason,
        )

    def dropped(self) -> Dropped:
        """Make the plain value."""
        return Dropped(
            kind=self.kind,
            what=self.what,
            tokens=self.tokens,
            messages=self.messages,
            reason=self.reason,
        )


class StoredPlanned(_Stored):
    """A call that the model wants."""

    call: StoredCall
    margin: float | None = None
    complete: bool = True

    @classmethod
    def of(cls, planned: PlannedCall) -> StoredPlanned:
        """Make it of the plain value."""
        return cls(
            call=StoredCall.of(planned.call), margin=planned.margin, complete=planned.is_complete
        )

    def planned(self) -> PlannedCall:
        """Make the plain value."""
        return PlannedCall(call=self.call.call(), margin=self.margin, is_complete=self.complete)


class StoredStep(_Stored):
    """What came of a call."""

    call: StoredCall
    content: str
    error: bool
    ran: bool
    margin: float | None = None
    refusal: Annotated[Refusal | None, Field(strict=False)] = None
    decision: int = 0

    @classmethod
    def of(cls, step: Step) -> StoredStep:
        """Make it of the plain value."""
        return cls(
            call=StoredCall.of(step.call),
            content=step.content,
            error=step.is_error,
            ran=step.ran,
            margin=step.margin,
            refusal=step.refusal,
            decision=step.decision,
        )

    def step(self) -> Step:
        """Make the plain value."""
        return Step(
            call=self.call.call(),
            content=self.content,
            is_error=self.error,
            ran=self.ran,
            margin=self.margin,
            refusal=self.refusal,
            decision=self.decision,
        )


class StoredProgress(_Stored):
    """What a turn has come to, beside its conversation and steps."""

    usage: StoredUsage = StoredUsage()
    flags: list[StoredFlag] = []
    dropped: list[StoredDropped] = []
    decisions: int = 0
    intent: Annotated[Intent | None, Field(strict=False)] = None
    margin: float | None = None
    text: str = ""
    spoken: str = ""
    offered: list[str] = []
    missing: list[str] = []
    corrections: list[StoredMessage] = []
    settled: bool = False
    repeating: bool = False
    passed_s: float = 0.0
    first_token_s: float | None = None

    @classmethod
    def of(cls, record: TurnRecord) -> StoredProgress:
        """Make it of a record."""
        return cls(
            usage=StoredUsage.of(record.usage),
            flags=[StoredFlag.of(one) for one in record.flags],
            dropped=[StoredDropped.of(one) for one in record.dropped],
            decisions=record.decisions,
            intent=record.intent,
            margin=record.margin,
            text=record.text,
            spoken=record.spoken,
            offered=list(record.offered or ()),
            missing=list(record.missing),
            corrections=[StoredMessage.of(one) for one in record.corrections],
            settled=record.is_settled,
            repeating=record.is_repeating,
            passed_s=record.passed_s,
            first_token_s=record.first_token_s,
        )

    def restore(self, record: TurnRecord) -> None:
        """Put it into a record."""
        record.usage = self.usage.usage()
        record.flags = [one.flag() for one in self.flags]
        record.dropped = [one.dropped() for one in self.dropped]
        record.decisions = self.decisions
        record.intent, record.margin = self.intent, self.margin
        record.text, record.spoken = self.text, self.spoken
        record.offered = tuple(self.offered)
        record.missing = tuple(self.missing)
        record.corrections = [one.message() for one in self.corrections]
        record.is_settled, record.is_repeating = self.settled, self.repeating
        record.earlier_s, record.first_token_s = self.passed_s, self.first_token_s


class MessagePayload(_Stored):
    """A run that was accepted."""

    v: Literal[1]
    message: StoredMessage
    output: dict[str, Any] | None = None
    """JSON Schema of the answer that was asked for; `None` for prose."""


class DecisionPayload(_Stored):
    """A decision for calls."""

    v: Literal[1]
    calls: Annotated[list[StoredPlanned], Field(min_length=1)]
    conversation: StoredChange
    progress: StoredProgress


class StartedPayload(_Stored):
    """A call that is about to run."""

    v: Literal[1]
    call: str


class ResultPayload(_Stored):
    """What a call came to."""

    v: Literal[1]
    step: StoredStep
    progress: StoredProgress


class StoredTiming(_Stored):
    """How long a run took."""

    queued_s: float = 0.0
    first_token_s: float = 0.0
    total_s: float = 0.0


class EndedPayload(_Stored):
    """How a run ended; its steps are in entries of their own."""

    v: Literal[1]
    conversation: StoredChange
    text: str
    ending: Annotated[Ending, Field(strict=False)]
    usage: StoredUsage = StoredUsage()
    timing: StoredTiming = StoredTiming()
    output: str | None = None
    """The answer as the JSON text that the model wrote, where a type was asked for."""
    intent: Annotated[Intent | None, Field(strict=False)] = None
    margin: float | None = None
    dropped: list[StoredDropped] = []
    flags: list[StoredFlag] = []
    citations: list[StoredCitation] = []
    degraded: bool = False
    escalated: bool = False

    @classmethod
    def of(cls, result: Result[object], *, change: Change, output: str | None) -> EndedPayload:
        """Make it of a result."""
        return cls(
            v=VERSION,
            conversation=StoredChange.of(change),
            text=result.text,
            ending=result.ending,
            usage=StoredUsage.of(result.usage),
            timing=StoredTiming(
                queued_s=result.timing.queued_s,
                first_token_s=result.timing.first_token_s,
                total_s=result.timing.total_s,
            ),
            output=output,
            intent=result.intent,
            margin=result.margin,
            dropped=[StoredDropped.of(one) for one in result.dropped],
            flags=[StoredFlag.of(one) for one in result.flags],
            citations=[StoredCitation(**asdict(one)) for one in result.citations],
            degraded=result.degraded,
            escalated=result.escalated,
        )

    def result(self, steps: tuple[Step, ...], *, run_id: str, output: object) -> Result[object]:
        """Make the plain value."""
        return Result(
            text=self.text,
            ending=self.ending,
            steps=steps,
            usage=self.usage.usage(),
            timing=Timing(
                queued_s=self.timing.queued_s,
                first_token_s=self.timing.first_token_s,
                total_s=self.timing.total_s,
            ),
            output=output,
            intent=self.intent,
            margin=self.margin,
            dropped=tuple(one.dropped() for one in self.dropped),
            flags=tuple(one.flag() for one in self.flags),
            citations=tuple(one.citation() for one in self.citations),
            degraded=self.degraded,
            escalated=self.escalated,
            run_id=run_id,
        )


ModelT = TypeVar("ModelT", bound=BaseModel)
_FORMS: Final[dict[EntryKind, type[BaseModel]]] = {
    EntryKind.MESSAGE: MessagePayload,
    EntryKind.DECISION: DecisionPayload,
    EntryKind.CALL_STARTED: StartedPayload,
    EntryKind.RESULT: ResultPayload,
    EntryKind.ENDED: EndedPayload,
}


def read_payload(entry: Entry, model: type[ModelT]) -> ModelT:
    """Read an entry's payload. Raises `DamagedRecordError` where it is not of its form."""
    try:
        return model.model_validate(entry.payload)
    except ValidationError as error:
        record = f"entry {entry.seq} of the run {entry.run}"
        raise DamagedRecordError(record=record, problem=first_problem(error)) from error


def check_entry(entry: Entry) -> None:
    """Check a foreign entry, such as one that is imported. Raises `ValueError`."""
    form = _FORMS.get(entry.kind)
    try:
        if form is not None:
            form.model_validate(entry.payload)
    except ValidationError as error:
        msg = f"payload.{first_problem(error)}"
        raise ValueError(msg) from error


def message_payload(message: Message, *, output: OutputType[object] | None) -> JsonObject:
    """Write what a message's entry holds."""
    schema = None if output is None else output.schema
    return as_json(MessagePayload(v=1, message=StoredMessage.of(message), output=schema))
