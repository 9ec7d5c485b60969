"""One user message from arrival to answer: this file holds the turn loop.

Decide, fill, act, and again until there is an answer. The loop hands out events as they happen and
always ends: with an answer, at a step limit, or when the same call is wanted a third time.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final, TypeVar

import anyio

from smallhold.agents.grounding import ungrounded_arguments
from smallhold.agents.planning import (
    Plan,
    PlannedCall,
    ScoredPlanner,
    ToolChoice,
    call_text,
    owns_decoder,
)
from smallhold.agents.prompts import build_prompt
from smallhold.agents.result import Ending, Result, Step
from smallhold.exceptions import DeadlineExceededError, ModelOutputError
from smallhold.generation import GenerationRequest, LarkConstraint, Prompt, Sampling
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
    Usage,
)
from smallhold.runtimes.protocol import Runtime
from smallhold.tools import ToolSet, UnknownTool, run_tool

MAX_IDENTICAL_CALLS: Final = 2
"""How often the same call with the same arguments is run; wanting it once more ends the run."""
PROSE_GRAMMAR: Final = r"start: /[^\s{\[<`](.|\n)*/"
"""An answer begins with words. After a decision to answer, small models that were trained on calls
still like to begin with JSON, a code fence or a call's opening tag."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSettings:
    """What stays the same in all turns of an agent."""

    runtime: Runtime
    instructions: Message
    tools: ToolSet
    sampling: Sampling
    max_tokens: int
    max_steps: int
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

    async def events(self) -> AsyncIterator[Event]:
        """Run the turn.

        Raises:
            DeadlineExceededError: the run's time was up.
            SmallholdError: the runtime failed.
        """
        for _ in range(self.settings.max_steps):
            planned: PlannedCall | None = None
            async for item in self._next_step():
                if isinstance(item, PlannedCall):
                    planned = item
                else:
                    yield item
            if planned is None:
                return
            if self._is_repeated(planned.call):
                yield self._give_up(Ending.REPEATED_CALL)
                return
            async for event in self._act(planned):
                yield event
        yield self._give_up(Ending.STEP_LIMIT)

    async def _next_step(self) -> AsyncIterator[TokenEvent | PlannedCall]:
        """Give a call, or stream the answer and set the result."""
        prompt = build_prompt(
            self.settings.instructions, self.conversation, self.settings.tools.schemas
        )
        if len(self.settings.tools) == 0:
            async for item in self._answer(prompt, grammar=None):
                yield item
        elif not owns_decoder(self.settings.runtime):
            async for item in self._native_step(prompt):
                yield item
        else:
            plan = await self._within_deadline(self._plan(prompt))
            self.usage += plan.usage
            if plan.planned is not None:
                yield plan.planned
                return
            async for item in self._answer(prompt, grammar=PROSE_GRAMMAR):
                yield item

    async def _plan(self, prompt: Prompt) -> Plan:
        planner = ScoredPlanner(
            runtime=self.settings.runtime, max_tokens=self.settings.max_tokens
        )
        # One call may be required; after it the model is free to answer.
        choice: ToolChoice = "auto" if self.steps else self.settings.tool_choice
        return await planner.plan(prompt, tool_choice=choice, call_id=self._call_id())

    async def _answer(self, prompt: Prompt, *, grammar: str | None) -> AsyncIterator[TokenEvent]:
        constraint = None if grammar is None else LarkConstraint(grammar=grammar)
        request = GenerationRequest(
            prompt=prompt,
            constraint=constraint,
            sampling=self.settings.sampling,
            max_tokens=self.settings.max_tokens,
        )
        pieces: list[str] = []
        async for item in self._stream(request):
            if isinstance(item, Completion):
                self._finish("".join(pieces), item.finish_reason)
            else:
                pieces.append(item)
                yield self._token(item)

    async def _native_step(self, prompt: Prompt) -> AsyncIterator[TokenEvent | PlannedCall]:
        request = GenerationRequest(
            prompt=prompt, sampling=self.settings.sampling, max_tokens=self.settings.max_tokens
        )
        pieces: list[str] = []
        async for item in self._stream(request):
            if isinstance(item, str):
                pieces.append(item)
                yield self._token(item)
            elif item.message.tool_calls:
                is_complete = item.finish_reason is not FinishReason.LENGTH
                for call in item.message.tool_calls[:1]:
                    yield PlannedCall(call=call, margin=None, is_complete=is_complete)
            else:
                self._finish("".join(pieces), item.finish_reason)

    async def _stream(self, request: GenerationRequest) -> AsyncIterator[str | Completion]:
        """Stream a generation's pieces, then its completion, all before the deadline."""
        async with AsyncExitStack() as stack:
            stream = await self._within_deadline(
                stack.enter_async_context(self.settings.runtime.stream(request))
            )
            pieces = aiter(stream)
            while (piece := await self._within_deadline(anext(pieces, None))) is not None:
                yield piece
            self.usage += stream.completion.usage
            yield stream.completion

    async def _act(self, planned: PlannedCall) -> AsyncIterator[Event]:
        """Run a call, or say to the model why it was not run."""
        call = planned.call
        yield ToolCallEvent(call=call)
        refusal = self._refusal(planned)
        if refusal is None:
            tool = self.settings.tools.find(call.name)
            if isinstance(tool, UnknownTool):
                raise ModelOutputError(runtime=self.settings.runtime.name, problem=tool.message)
            outcome = await self._within_deadline(run_tool(tool, call))
            content, is_error, error = outcome.content, outcome.is_error, outcome.error
        else:
            content, is_error, error = refusal, True, None
        self.steps.append(
            Step(
                call=call, content=content, is_error=is_error, ran=refusal is None,
                margin=planned.margin, error=error,
            )  # fmt: skip
        )
        self.conversation += [
            Message(role=Role.ASSISTANT, content="", tool_calls=(call,)),
            Message(role=Role.TOOL, content=content, tool_call_id=call.id),
        ]
        yield ToolResultEvent(call=call, content=content, is_error=is_error, error=error)

    def _refusal(self, planned: PlannedCall) -> str | None:
        """Say why a call must not run; `None` when it may."""
        if not planned.is_complete:
            return "Error: the call was cut off before its end and was not run."
        found = self.settings.tools.find(planned.call.name)
        if isinstance(found, UnknownTool):
            return f"Error: {found.message}"
        said = (self.settings.instructions, *self.conversation)
        invented = ungrounded_arguments(
            planned.call.arguments, (message.content for message in said)
        )
        if invented:
            names = ", ".join(invented)
            return f"Error: not run, because the user has not given: {names}. Ask the user for it."
        return None

    def _is_repeated(self, call: ToolCall) -> bool:
        wanted = call_text([call])
        return sum(call_text([step.call]) == wanted for step in self.steps) >= MAX_IDENTICAL_CALLS

    def _give_up(self, ending: Ending) -> TokenEvent:
        text = giving_up_text(ending, self.steps)
        self._set_result(text, ending)
        return TokenEvent(text=text)

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
        try:
            with anyio.fail_after(left_s):
                return await work
        except TimeoutError as error:
            raise DeadlineExceededError(limit_s=self.settings.timeout_s) from error


def giving_up_text(ending: Ending, steps: Sequence[Step]) -> str:
    """Tell the user honestly why there is no answer."""
    if ending is Ending.REPEATED_CALL:
        name = steps[-1].call.name if steps else "a tool"
        return (
            f"I could not finish this: I kept asking {name} the same thing and learned nothing new. "
            "Nothing further was done."
        )
    return (
        f"I could not finish this within {len(steps)} steps. "
        "Please ask for one thing at a time or add details."
    )
