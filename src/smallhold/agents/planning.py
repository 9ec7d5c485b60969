"""Decide and fill: this file holds how the next tool call is found.

A runtime whose decoder is ours is asked in two stages: score which tool, then decode its arguments
under its schema. A call is then one of the offered tools with valid arguments by construction. A
runtime that parses calls by itself is asked once, and its calls are checked like any foreign input.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Literal, TypeAlias, cast

from smallhold.agents.argument_schema import bounded_schema
from smallhold.agents.copying import revise
from smallhold.agents.decision import NO_TOOL_NAME, Decision, read_decision
from smallhold.agents.demonstrations import with_demonstrations
from smallhold.agents.mentions import Said
from smallhold.agents.prompts import content_free
from smallhold.exceptions import ModelOutputError
from smallhold.generation import (
    GenerationRequest,
    JsonSchemaConstraint,
    Prompt,
    ScoreRequest,
)
from smallhold.messages import (
    FinishReason,
    JsonObject,
    Message,
    Role,
    ToolCall,
    ToolSchema,
    Usage,
)
from smallhold.runtimes.limits import OWN_DECODER
from smallhold.runtimes.protocol import Runtime

ToolChoice: TypeAlias = Literal["auto", "required"]
"""`auto` lets the agent answer without a call; `required` forbids that."""

DEFAULT_THRESHOLD: Final = 0.0
"""Least calibrated margin for a call, in nats. Source: `docs/evaluation.md`,
decisions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCall:
    """A call that the model wants, or the part of it that was decoded before a limit."""

    call: ToolCall
    margin: float | None
    is_complete: bool
    """Whether the arguments are whole; an incomplete call must never run."""


class Intent(StrEnum):
    """What an agent does next."""

    CALL = "call"
    ANSWER = "answer"
    """Answer directly, with what is known."""
    ASK = "ask"
    """Ask for what only the user can know."""
    CANNOT = "cannot"
    """Say honestly that no tool of the agent can do this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The next thing to do."""

    intent: Intent
    usage: Usage
    calls: tuple[PlannedCall, ...] = ()
    """The calls to make, in order; none unless the intent is `CALL`."""
    missing: tuple[str, ...] = ()
    """What to ask for, in words; none unless the intent is `ASK`."""
    margin: float | None = None
    """How clear the decision was, in nats; `None` where nothing was scored."""


def owns_decoder(runtime: Runtime) -> bool:
    """Whether decisions can be scored and calls decoded under grammar on this runtime."""
    return runtime.limits.capabilities >= OWN_DECODER


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """A tool with the arguments that were decoded for it."""

    tool: ToolSchema
    arguments: JsonObject
    usage: Usage
    narrowed: JsonObject | None = None
    """Schema to choose unmentioned values under; see `Revision.narrowed`."""
    unmentioned: int = 0
    """How many decoded values nobody mentioned."""
    is_complete: bool = True
    extra_usage: Usage = field(default_factory=Usage)
    """Cost of choosing unmentioned values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredPlanner:
    """Plans calls on a runtime whose decoder is ours."""

    runtime: Runtime
    max_tokens: int
    """Most tokens of one call's arguments."""
    threshold: float = DEFAULT_THRESHOLD

    async def plan(self, prompt: Prompt, *, tool_choice: ToolChoice, call_id: str) -> Plan:
        """Decide on a tool and fill its arguments.

        Where values for the likeliest tool were not mentioned, and those for a close rival were,
        the rival is meant: the user said what it needs.

        Args:
            prompt: Instructions, examples, conversation and tools, without continuation. Its
                `fixed_messages` are examples that end in the pseudo-tool; where there are none,
                samples are shown, and the model's bias is measured and subtracted.
            tool_choice: Whether answering without a call is allowed.
            call_id: Id for the call.
        """
        has_examples = prompt.fixed_messages > 0
        if not has_examples:
            prompt = with_demonstrations(prompt)
        decision, usage = await self.decide(
            prompt, tool_choice=tool_choice, subtracts_bias=not has_examples
        )
        if decision.tool is None:
            return Plan(intent=Intent.ANSWER, usage=usage, margin=decision.margin)
        chosen: Filling | None = None
        for name in (decision.tool, *decision.rivals):
            filling = await self.fill(prompt, tool_named(prompt.tools, name))
            usage += filling.usage
            if chosen is None or filling.unmentioned < chosen.unmentioned:
                chosen = filling
            if chosen.unmentioned == 0 or not filling.is_complete:
                break
        if chosen is None:
            return Plan(intent=Intent.ANSWER, usage=usage, margin=decision.margin)
        chosen = await self.copied(prompt, chosen)
        call = ToolCall(id=call_id, name=chosen.tool.name, arguments=chosen.arguments)
        planned = PlannedCall(call=call, margin=decision.margin, is_complete=chosen.is_complete)
        return Plan(
            intent=Intent.CALL,
            calls=(planned,),
            usage=usage + chosen.extra_usage,
            margin=decision.margin,
        )

    async def decide(
        self, prompt: Prompt, *, tool_choice: ToolChoice, subtracts_bias: bool
    ) -> tuple[Decision, Usage]:
        """Choose among the tools and none of them, in one scored pass."""
        names = [tool.name for tool in prompt.tools]
        must_call = tool_choice == "required"
        if must_call and len(names) == 1:
            return Decision(tool=names[0], margin=0.0), Usage()
        dialect = self.runtime.limits.dialect
        scores = await self.runtime.score(
            ScoreRequest(
                prompt=replace(prompt, continuation=dialect.before_name),
                choices=tuple(dialect.scored_name(name) for name in (*names, NO_TOOL_NAME)),
                baseline=replace(content_free(prompt), continuation=dialect.before_name)
                if subtracts_bias and not must_call
                else None,
            )
        )
        decision = read_decision(scores, names, threshold=self.threshold, must_call=must_call)
        return decision, scores.usage

    async def fill(self, prompt: Prompt, tool: ToolSchema) -> Filling:
        """Decode a tool's arguments under its schema.

        Arguments that reached `max_tokens` are given as empty, and marked incomplete.
        """
        arguments, usage = await self._decode(prompt, tool, schema=bounded_schema(tool.parameters))
        if arguments is None:
            return Filling(tool=tool, usage=usage, arguments={}, is_complete=False)
        said = Said(spoken_text(prompt.messages, skip=prompt.fixed_messages))
        revision = revise(arguments, tool.parameters, said=said)
        return Filling(
            tool=tool,
            usage=usage,
            arguments=revision.arguments,
            narrowed=revision.narrowed,
            unmentioned=revision.unmentioned,
        )

    async def copied(self, prompt: Prompt, filling: Filling) -> Filling:
        """Choose values that nobody mentioned anew, among those that were."""
        if filling.narrowed is None:
            return filling
        arguments, usage = await self._decode(prompt, filling.tool, schema=filling.narrowed)
        kept = filling.arguments if arguments is None else arguments
        return replace(filling, arguments=kept, extra_usage=usage)

    async def _decode(
        self, prompt: Prompt, tool: ToolSchema, *, schema: JsonObject
    ) -> tuple[JsonObject | None, Usage]:
        dialect = self.runtime.limits.dialect
        request = GenerationRequest(
            prompt=replace(prompt, continuation=dialect.opening(tool.name)),
            constraint=JsonSchemaConstraint(schema=schema, closing=dialect.closing),
            max_tokens=self.max_tokens,
        )
        async with self.runtime.stream(request) as stream:
            text = "".join([piece async for piece in stream])
            completion = stream.completion
        if completion.finish_reason is FinishReason.LENGTH:
            return None, completion.usage
        closed = text.removesuffix(dialect.closing)
        return parse_arguments(closed, runtime=self.runtime.name), completion.usage


def tool_named(tools: Sequence[ToolSchema], name: str) -> ToolSchema:
    """Find a tool that is known to be there."""
    return next(tool for tool in tools if tool.name == name)


def parse_arguments(text: str, *, runtime: str) -> JsonObject:
    """Read decoded arguments. Raises `ModelOutputError` when they are not a JSON object."""
    problem = "arguments that are not a JSON object"
    try:
        arguments: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelOutputError(runtime=runtime, problem=problem) from error
    if not isinstance(arguments, dict):
        raise ModelOutputError(runtime=runtime, problem=problem)
    return cast("JsonObject", arguments)


def spoken_text(messages: Sequence[Message], *, skip: int) -> str:
    """Join what the user and the tools have said, leaving out `skip` messages of examples."""
    conversation = [message for message in messages if message.role is not Role.SYSTEM][skip:]
    speakers = {Role.USER, Role.TOOL}
    return "\n".join(message.content for message in conversation if message.role in speakers)


def call_text(calls: Sequence[ToolCall]) -> str:
    """Write calls for a comparison: same tools and same arguments give the same text."""
    return json.dumps([[call.name, call.arguments] for call in calls], sort_keys=True)
