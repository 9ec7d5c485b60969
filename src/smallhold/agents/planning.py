"""Decide and fill: this file holds how the next tool call is found.

A runtime whose decoder is ours is asked in two stages: score which tool, then decode its arguments
under its schema. A call is then one of the offered tools with valid arguments by construction. A
runtime that parses calls by itself is asked once, and its calls are checked like any foreign input.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from smallhold.agents.decision import NO_TOOL_NAME, Decision, read_decision
from smallhold.agents.argument_schema import bounded_schema
from smallhold.agents.prompts import content_free
from smallhold.exceptions import ModelOutputError
from smallhold.generation import (
    GenerationRequest,
    JsonSchemaConstraint,
    Prompt,
    ScoreRequest,
)
from smallhold.messages import FinishReason, JsonObject, ToolCall, ToolSchema, Usage
from smallhold.runtimes.limits import Capability
from smallhold.runtimes.protocol import Runtime

ToolChoice: TypeAlias = Literal["auto", "required"]
"""`auto` lets the agent answer without a call; `required` forbids that."""

OWN_DECODER: Final = frozenset(
    {Capability.SCORING, Capability.CONTINUATION, Capability.CONSTRAINTS}
)
"""What a runtime needs so that calls are valid by construction."""
DEFAULT_THRESHOLD: Final = 0.0
"""Least calibrated margin for a call, in nats. Source: `docs/evaluation.md`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCall:
    """A call that the model wants, or the part of it that was decoded before a limit."""

    call: ToolCall
    margin: float | None
    is_complete: bool
    """Whether the arguments are whole; an incomplete call must never run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The next thing to do: call, or answer when there is no call."""

    planned: PlannedCall | None
    usage: Usage


def owns_decoder(runtime: Runtime) -> bool:
    """Whether decisions can be scored and calls decoded under grammar on this runtime."""
    return runtime.limits.capabilities >= OWN_DECODER


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredPlanner:
    """Plans calls on a runtime whose decoder is ours."""

    runtime: Runtime
    max_tokens: int
    """Most tokens of one call's arguments."""
    threshold: float = DEFAULT_THRESHOLD

    async def plan(self, prompt: Prompt, *, tool_choice: ToolChoice, call_id: str) -> Plan:
        """Decide on a tool and fill its arguments.

        Args:
            prompt: Instructions, conversation and tools, without continuation.
            tool_choice: Whether answering without a call is allowed.
            call_id: Id for the call.
        """
        decision, usage = await self.decide(prompt, tool_choice=tool_choice)
        if decision.tool is None:
            return Plan(planned=None, usage=usage)
        schema = next(tool for tool in prompt.tools if tool.name == decision.tool)
        arguments, is_complete, fill_usage = await self.fill(prompt, schema)
        call = ToolCall(id=call_id, name=schema.name, arguments=arguments)
        planned = PlannedCall(call=call, margin=decision.margin, is_complete=is_complete)
        return Plan(planned=planned, usage=usage + fill_usage)

    async def decide(self, prompt: Prompt, *, tool_choice: ToolChoice) -> tuple[Decision, Usage]:
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
                baseline=replace(content_free(prompt), continuation=dialect.before_name),
            )
        )
        decision = read_decision(scores, names, threshold=self.threshold, must_call=must_call)
        return decision, scores.usage

    async def fill(self, prompt: Prompt, tool: ToolSchema) -> tuple[JsonObject, bool, Usage]:
        """Decode a tool's arguments under its schema.

        Returns:
            The arguments, whether they are whole, and what they cost. Arguments that reached
            `max_tokens` are given as empty.
        """
        dialect = self.runtime.limits.dialect
        request = GenerationRequest(
            prompt=replace(prompt, continuation=dialect.opening(tool.name)),
            constraint=JsonSchemaConstraint(
                schema=bounded_schema(tool.parameters), closing=dialect.closing
            ),
            max_tokens=self.max_tokens,
        )
        async with self.runtime.stream(request) as stream:
            text = "".join([piece async for piece in stream])
            completion = stream.completion
        if completion.finish_reason is FinishReason.LENGTH:
            return {}, False, completion.usage
        arguments = parse_arguments(
            text.removesuffix(dialect.closing), runtime=self.runtime.name
        )
        return arguments, True, completion.usage


def parse_arguments(text: str, *, runtime: str) -> JsonObject:
    """Read decoded arguments. Raises `ModelOutputError` when they are not a JSON object."""
    try:
        arguments = json.loads(text)
    except ValueError as error:
        raise ModelOutputError(runtime=runtime, problem="arguments that are not JSON") from error
    if not isinstance(arguments, dict):
        raise ModelOutputError(runtime=runtime, problem="arguments that are not an object")
    return arguments


def call_text(calls: Sequence[ToolCall]) -> str:
    """Write calls for a comparison: same tools and same arguments give the same text."""
    return json.dumps([[call.name, call.arguments] for call in calls], sort_keys=True)
