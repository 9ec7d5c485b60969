"""One user message from arrival to answer: this file holds the turn loop.

Decide, fill, act, and again until there is an answer. The loop hands out events as they happen and
always ends: with an answer, at a step limit, or when the same call is wanted a third time.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from typing import Final, TypeVar

import anyio

from smallhold.agents.examples import Example
from smallhold.agents.grounding import ungrounded_arguments
from smallhold.agents.planning import (
    PlannedCall,
    ScoredPlanner,
    ToolChoice,
    call_text,
    owns_decoder,
)
from smallhold.agents.prompts import answer_prompt, decision_prompt
from smallhold.agents.result import Ending, Result, Step
from smallhold.exceptions import DeadlineExceededError
from smallhold.generation import GenerationRequest, LarkConstraint, Sampling
from smallhold.messages import (
    Completion,
    Event,
    FinishReason,
    Message,
    Role,
    Timing,
    TokenEvent,
    ToolCall,
    ToolCallEvent,
    ToolResultEvent,
    ToolSchema,
    Usage,
)
from smallhold.runtimes.protocol import Runtime
from smallhold.tools import AnyTool, OutcomeKind, ToolSet, UnknownTool, run_tool

MAX_IDENTICAL_CALLS: Final = 2
"""How often the same call with the same arguments may be wanted; once more ends the run. It is run
the first time only."""
PROSE_GRAMMAR: Final = r"""start: /[\p{L}\p{N}"'“¿¡(*#£$€-](.|\n)*/"""
"""An answer begins with words. After a decision to answer, small models that were trained on calls
still like to begin with JSON, a code fence or a call's opening tag."""

_SHOWN_CHARS: Final = 300

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSettings:
    """What stays the same in all turns of an agent."""

    runtime: Runtime
    instructions: Message
    tools: ToolSet
    examples: tuple[Example, ...]
    sampling: Sampling
    max_tokens: int
    max_steps: int
    max_calls: int | None
    timeout_s: float
    tool_choice: ToolChoice = "auto"


@dataclass(slots=True, kw_only=True)
class Turn:
    """One turn under way. Iterate `events` once; `result` is there afterwards."""

    settings: TurnSettings
    conversation: list[Message]
    """Grows with the turn's messages, the user's own first; the caller keeps it for the next."""
    started_s: float = field(default_factory=time.monotonic)
    usage: Usage = field(default_factory=Usage)
    steps: list[Step] = field(default_factory=list[Step])
    first_token_s: float | None = None
    result: Result | None = None
    is_repeating: bool = False
    """The last decision was for a call that had been made before."""
    missing: tuple[str, ...] = ()
    """What the last call needed and only the user can know, in words."""
    is_refused: bool = False
    """The last call was not even tried: wanting it again would change nothing."""

    async def events(self) -> AsyncGenerator[Event]:
        """Run the turn. Close the generator if you do not exhaust it.

        Raises:
            DeadlineExceededError: the run's time was up.
            SmallholdError: the runtime failed.
        """
        for _ in range(self.settings.max_steps):
            planned: PlannedCall | None = None
            async with aclosing(self._next_step()) as items:
                async for item in items:
                    if isinstance(item, PlannedCall):
                        planned = item
                    else:
                        yield item  # noqa: ASYNC119 - callers close this generator
            if planned is None:
                return
            if self._times_wanted(planned.call) > MAX_IDENTICAL_CALLS:
                yield self._give_up(Ending.REPEATED_CALL)
                return
            yield ToolCallEvent(call=planned.call)
            yield await self._act(planned)
            if self.missing and owns_decoder(self.settings.runtime):
                yield self._ask()
                return
        yield self._give_up(Ending.STEP_LIMIT)

    async def _next_step(self) -> AsyncGenerator[TokenEvent | PlannedCall]:
        """Give a call, or stream the answer and set the result."""
        settings = self.settings
        if len(settings.tools) == 0 or owns_decoder(settings.runtime):
            planned = await self._within_deadline(self._plan())
            if planned is not None:
                yield planned
                return
            request = self._answer_request()
        else:
            request = self._native_request()
        text, shown_chars = "", 0
        async with aclosing(self._stream(request)) as items:
            async for item in items:
                if isinstance(item, str):
                    text += item
                    # A blank beginning is held back: if nothing follows, another text is given.
                    if text.strip():
                        yield self._token(text[shown_chars:])  # noqa: ASYNC119 - `events` closes
                        shown_chars = len(text)
                elif item.message.tool_calls:
                    yield _first_call(item)  # noqa: ASYNC119 - as above
                else:
                    self._finish(text, item.finish_reason)
        if self.result is not None and not self.result.text.strip():
            yield self._give_up(Ending.REPEATED_CALL if self.is_repeating else Ending.NO_ANSWER)

    async def _plan(self) -> PlannedCall | None:
        """Find the next call where the decoder is ours; `None` when it is time to answer."""
        settings = self.settings
        if len(settings.tools) == 0 or self._is_settled():
            return None
        planner = ScoredPlanner(
            runtime=settings.runtime,
            max_tokens=settings.max_tokens,
        )
        plan = await planner.plan(
            decision_prompt(
                settings.instructions,
                settings.examples,
                self.conversation,
                settings.tools.schemas,
            ),
            # One call may be required; after it the model is free to answer.
            tool_choice="auto" if self.steps else settings.tool_choice,
            call_id=self._call_id(),
        )
        self.usage += plan.usage
        planned = plan.calls[0] if plan.calls else None
        # Wanting what it already has, a small model is done and does not know it.
        self.is_repeating = planned is not None and self._earlier(planned.call) is not None
        return None if self.is_repeating else planned

    def _is_settled(self) -> bool:
        """Whether no further call makes sense, or none is wanted."""
        limit = self.settings.max_calls
        return self.is_refused or (limit is not None and len(self.steps) >= limit)

    def _answer_request(self) -> GenerationRequest:
        settings = self.settings
        is_held = len(settings.tools) > 0
        return GenerationRequest(
            prompt=answer_prompt(settings.instructions, self.conversation),
            constraint=LarkConstraint(grammar=PROSE_GRAMMAR) if is_held else None,
            sampling=settings.sampling,
            max_tokens=settings.max_tokens,
        )

    def _native_request(self) -> GenerationRequest:
        settings = self.settings
        return GenerationRequest(
            prompt=decision_prompt(
                settings.instructions, (), self.conversation, settings.tools.schemas
            ),
            sampling=settings.sampling,
            max_tokens=settings.max_tokens,
        )

    async def _stream(self, request: GenerationRequest) -> AsyncGenerator[str | Completion]:
        """Stream a generation's pieces, then its completion, all before the deadline."""
        async with AsyncExitStack() as stack:
            stream = await self._within_deadline(
                stack.enter_async_context(self.settings.runtime.stream(request))
            )
            pieces = aiter(stream)
            while (piece := await self._within_deadline(anext(pieces, None))) is not None:
                yield piece  # noqa: ASYNC119 - `_next_step` closes this generator
            self.usage += stream.completion.usage
            yield stream.completion  # noqa: ASYNC119 - as above

    async def _act(self, planned: PlannedCall) -> ToolResultEvent:
        """Run a call, or say to the model why it was not run."""
        call = planned.call
        tool = self.settings.tools.find(call.name)
        refusal = self._refusal(planned, tool)
        self.is_refused = refusal is not None
        if refusal is not None or isinstance(tool, UnknownTool):
            content, error = refusal or "", None
            is_error, ran = True, False
        else:
            outcome = await self._within_deadline(run_tool(tool, call))
            content, error = outcome.content, outcome.error
            is_error, ran = outcome.is_error, outcome.kind is not OutcomeKind.INVALID_ARGUMENTS
        self._remember(
            Step(
                call=call,
                content=content,
                is_error=is_error,
                ran=ran,
                margin=planned.margin,
                error=error,
            )
        )
        return ToolResultEvent(call=call, content=content, is_error=is_error, error=error)

    def _remember(self, step: Step) -> None:
        self.steps.append(step)
        self.conversation += [
            Message(role=Role.ASSISTANT, content="", tool_calls=(step.call,)),
            Message(role=Role.TOOL, content=step.content, tool_call_id=step.call.id),
        ]

    def _refusal(self, planned: PlannedCall, tool: AnyTool | UnknownTool) -> str | None:
        """Say why a call must not run; `None` when it may."""
        if not planned.is_complete:
            return "Error: the call was cut off before its end and was not run."
        if isinstance(tool, UnknownTool):
            return f"Error: {tool.message}"
        heard = (self.settings.instructions, *self.conversation)
        # What the agent itself wrote proves nothing: it may have been invented then.
        said = (message.content for message in heard if message.role is not Role.ASSISTANT)
        invented = ungrounded_arguments(planned.call.arguments, said)
        self.missing = described(tool.schema, invented)
        if self.missing:
            return f"Not done, something is missing. Ask for: {'; '.join(self.missing)}."
        earlier = self._earlier(planned.call)
        if earlier is not None:
            return f"Already done, with this result: {earlier.content}"
        return None

    def _earlier(self, call: ToolCall) -> Step | None:
        """Find the same call with the same arguments in this turn."""
        wanted = call_text([call])
        return next((step for step in self.steps if call_text([step.call]) == wanted), None)

    def _times_wanted(self, call: ToolCall) -> int:
        wanted = call_text([call])
        return 1 + sum(call_text([step.call]) == wanted for step in self.steps)

    def _give_up(self, ending: Ending) -> TokenEvent:
        text = giving_up_text(ending, self.steps)
        if self.result is not None:
            self.conversation.pop()
        self._set_result(text, ending)
        return TokenEvent(text=text)

    def _ask(self) -> TokenEvent:
        """Ask for what is missing. Not in the model's words: a small one invents it instead."""
        text = f"I need this from you first: {'; '.join(self.missing)}. Could you tell me?"
        self._set_result(text, Ending.ASKED)
        return self._token(text)

    def _finish(self, text: str, reason: FinishReason) -> None:
        cut = reason is FinishReason.LENGTH
        self._set_result(text, Ending.ANSWER_CUT if cut else Ending.ANSWERED)

    def _set_result(self, text: str, ending: Ending) -> None:
        self.conversation.append(Message(role=Role.ASSISTANT, content=text))
        total_s = time.monotonic() - self.started_s
        self.result = Result(
            text=text,
            ending=ending,
            steps=tuple(self.steps),
            usage=self.usage,
            timing=Timing(
                first_token_s=total_s if self.first_token_s is None else self.first_token_s,
                total_s=total_s,
            ),
        )

    def _token(self, text: str) -> TokenEvent:
        if self.first_token_s is None:
            self.first_token_s = time.monotonic() - self.started_s
        return TokenEvent(text=text)

    def _call_id(self) -> str:
        return f"call_{len(self.steps) + 1}"

    async def _within_deadline(self, work: Awaitable[Value]) -> Value:
        """Await one piece of work; no cancel scope is open while events are handed out."""
        left_s = self.started_s + self.settings.timeout_s - time.monotonic()
        # Not `fail_after`: a runtime's own `TimeoutError` is another matter.
        with anyio.move_on_after(left_s):
            return await work
        raise DeadlineExceededError(limit_s=self.settings.timeout_s)


def described(tool: ToolSchema, names: Sequence[str]) -> tuple[str, ...]:
    """Give the descriptions of a tool's parameters, or their names where there are none."""
    properties = tool.parameters.get("properties")
    known = properties if isinstance(properties, dict) else {}
    texts: list[str] = []
    for name in names:
        schema = known.get(name)
        text = schema.get("description") if isinstance(schema, dict) else None
        texts.append(str(text).rstrip(".") if text else name)
    return tuple(texts)


def _first_call(completion: Completion) -> PlannedCall:
    return PlannedCall(
        call=completion.message.tool_calls[0],
        margin=None,
        is_complete=completion.finish_reason is not FinishReason.LENGTH,
    )


def giving_up_text(ending: Ending, steps: Sequence[Step]) -> str:
    """Tell the user honestly why there is no answer, and what is known all the same."""
    match ending:
        case Ending.REPEATED_CALL:
            return (
                "I could not finish this: I kept asking for the same and learned nothing new. "
                f"{_last_result(steps)}"
            )
        case Ending.STEP_LIMIT:
            return (
                f"I could not finish this within {len(steps)} steps. {_last_result(steps)} "
                "Please ask for one thing at a time or add details."
            )
        case _:
            return f"I have no answer to this. {_last_result(steps)}".rstrip()


def _last_result(steps: Sequence[Step]) -> str:
    if not steps:
        return ""
    last = steps[-1]
    return f"The last thing I learned, from {last.call.name}: {last.content[:_SHOWN_CHARS]}"
