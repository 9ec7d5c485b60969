"""Decide and fill: this file holds how the next tool call is found.

A runtime whose decoder is ours is asked in two stages: score which tool, then decode its arguments
under its schema. A call is then one of the offered tools with valid arguments by construction. A
runtime that parses calls by itself is asked once, and its calls are checked like any foreign input.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Literal, TypeAlias

from smallhold.agents.call_script import call_script, content_free
from smallhold.agents.decision import (
    PLAIN_FURTHER,
    Decision,
    filled_features,
    further_features,
    next_tool,
    read_decision,
)
from smallhold.agents.filling import Filler, Filling, asked_text
from smallhold.agents.leftovers import said_words, taken_words
from smallhold.agents.signatures import described, required_names
from smallhold.agents.special_calls import DONE_NAME, INSTEAD_OF_A_CALL
from smallhold.generation import Prompt, ScoreRequest
from smallhold.messages import ToolCall, Usage
from smallhold.models.calibration import Calibration
from smallhold.runtimes.dialects import JSON_LINES
from smallhold.runtimes.limits import OWN_DECODER
from smallhold.runtimes.protocol import Runtime

ToolChoice: TypeAlias = Literal["auto", "required"]
"""`auto` lets the agent answer without a call; `required` forbids that."""

MAX_CALLS_AT_ONCE: Final = 8
"""Most calls for one message: more than anybody asks for in a breath, and an end for a loop."""


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
class Further:
    """The calls after the first for the same message."""

    calls: tuple[PlannedCall, ...]
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredPlanner:
    """Plans calls on a runtime whose decoder is ours."""

    runtime: Runtime
    max_tokens: int
    """Most tokens of one call's arguments."""

    @property
    def filler(self) -> Filler:
        """What decodes arguments."""
        return Filler(runtime=self.runtime, max_tokens=self.max_tokens)

    async def plan(self, prompt: Prompt, *, tool_choice: ToolChoice, call_id: str) -> Plan:
        """Decide on tools and fill their arguments.

        Where values for the likeliest tool were not mentioned, and those for a close rival were,
        the rival is meant: the user said what it needs.

        Args:
            prompt: Instructions, examples, conversation and tools, without continuation.
            tool_choice: Whether answering without a call is allowed.
            call_id: Id for the first call; later ones get it with their number.
        """
        decision, usage = await self.decide(prompt, tool_choice=tool_choice)
        if decision.tool is None:
            return Plan(intent=_without_tool(decision), usage=usage, margin=decision.margin)
        filling = await self.filler.best(prompt, (decision.tool, *decision.rivals))
        usage += filling.usage
        verdict = self._verdict(prompt, decision, filling)
        if tool_choice == "auto" and verdict.intent is not Intent.CALL:
            return replace(verdict, usage=usage)
        first = _planned(filling, call_id=call_id, margin=verdict.margin)
        further = await self._further_calls(prompt, first)
        return Plan(
            intent=Intent.CALL,
            calls=(first, *further.calls),
            usage=usage + further.usage,
            margin=verdict.margin,
        )

    def _calibration(self, prompt: Prompt) -> Calibration | None:
        """Find what was fitted for prompts like this one: without examples."""
        return None if prompt.fixed_messages > 0 else self.runtime.limits.calibration

    def _verdict(self, prompt: Prompt, decision: Decision, filling: Filling) -> Plan:
        """Judge a call now that its arguments are there: make it, ask first, or leave it."""
        calibration = self._calibration(prompt)
        call = Plan(intent=Intent.CALL, usage=filling.usage, margin=decision.margin)
        if calibration is None or decision.features is None or not filling.is_complete:
            return call
        to_ask_for = _to_ask_for(filling)
        features = filled_features(
            decision,
            arguments=len(filling.arguments),
            required=len(required_names(filling.tool.parameters)),
            invented=len(to_ask_for),
            unmentioned=filling.unmentioned,
        )
        margin = calibration.suits(features)
        if margin < 0.0:
            return replace(call, intent=_without_tool(decision), margin=margin)
        missing = described(filling.tool, to_ask_for)
        if missing and calibration.ask(features) >= 0.0:
            return replace(call, intent=Intent.ASK, missing=missing, margin=margin)
        return replace(call, margin=margin)

    async def _further_calls(self, prompt: Prompt, first: PlannedCall) -> Further:
        """Find the other calls for the same message."""
        calls = [first]
        usage = Usage()
        while calls[-1].is_complete and len(calls) < MAX_CALLS_AT_ONCE:
            made = [planned.call for planned in calls]
            name, spent = await self.further_tool(prompt, made=made)
            usage += spent
            if name is None:
                break
            filling = await self.filler.best(prompt, (name,), made=made)
            usage += filling.usage
            call_id = f"{first.call.id}_{len(calls) + 1}"
            planned = _planned(filling, call_id=call_id, margin=first.margin)
            if not _is_news(planned.call, made=made, text=asked_text(prompt.messages)):
                break
            calls.append(planned)
        return Further(calls=tuple(calls[1:]), usage=usage)

    async def decide(self, prompt: Prompt, *, tool_choice: ToolChoice) -> tuple[Decision, Usage]:
        """Choose among the tools and the special calls, in one scored pass."""
        names = [tool.name for tool in prompt.tools]
        must_call = tool_choice == "required"
        if must_call and len(names) == 1:
            return Decision(tool=names[0], margin=0.0), Usage()
        # Examples of the agent's own correct the model better than what was fitted without them.
        is_corrected = prompt.fixed_messages == 0
        scores = await self.runtime.score(
            ScoreRequest(
                prompt=call_script(prompt),
                choices=tuple(map(JSON_LINES.scored_name, (*names, *INSTEAD_OF_A_CALL))),
                baseline=call_script(content_free(prompt)) if is_corrected else None,
            )
        )
        decision = read_decision(
            scores,
            prompt.tools,
            text=asked_text(prompt.messages),
            calibration=self._calibration(prompt),
            must_call=must_call,
        )
        return decision, scores.usage

    async def further_tool(
        self, prompt: Prompt, *, made: Sequence[ToolCall]
    ) -> tuple[str | None, Usage]:
        """Choose one more tool for the same message, or none."""
        names = [tool.name for tool in prompt.tools]
        scores = await self.runtime.score(
            ScoreRequest(
                prompt=call_script(prompt, made=made),
                choices=tuple(map(JSON_LINES.scored_name, (*names, DONE_NAME))),
            )
        )
        features = further_features(
            scores, prompt.tools, made=made, text=asked_text(prompt.messages)
        )
        calibration = self._calibration(prompt)
        rule = PLAIN_FURTHER if calibration is None else calibration.further
        if rule(features) < 0.0:
            return None, scores.usage
        return names[next_tool(scores, prompt.tools, made=made)], scores.usage


def _is_news(call: ToolCall, *, made: Sequence[ToolCall], text: str) -> bool:
    """Whether a further call is for something that the message says and no call has taken up."""
    if call.name not in {other.name for other in made}:
        return True
    return bool((taken_words([call]) - taken_words(made)) & said_words(text))


def _to_ask_for(filling: Filling) -> tuple[str, ...]:
    """Name the required arguments that only the user can know."""
    return tuple(name for name in filling.invented if name not in filling.tool.composed)


def _without_tool(decision: Decision) -> Intent:
    return Intent.ANSWER if decision.can_answer else Intent.CANNOT


def _planned(filling: Filling, *, call_id: str, margin: float | None) -> PlannedCall:
    call = ToolCall(id=call_id, name=filling.tool.name, arguments=filling.arguments)
    return PlannedCall(call=call, margin=margin, is_complete=filling.is_complete)


def call_text(calls: Sequence[ToolCall]) -> str:
    """Write calls for a comparison: same tools and same arguments give the same text."""
    return json.dumps([[call.name, call.arguments] for call in calls], sort_keys=True)
