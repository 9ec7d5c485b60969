"""One message and its answer: this file holds the command `run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smallhold.agents import Agent, Result, Step
from smallhold.agents.context import Dropped
from smallhold.agents.guardrails import Flag
from smallhold.agents.notes import notes_of
from smallhold.cli.agent_setup import close_agent, model_name
from smallhold.cli.terminal import foreign, result_console, side_console, write_json
from smallhold.cli.transcript import Transcript, answer_aloud, note_line
from smallhold.messages import JsonObject, JsonValue, Timing, Usage

if TYPE_CHECKING:
    from smallhold.state.approvals import Approval


async def run_once(agent: Agent, text: str, *, session: str | None = None, as_json: bool) -> None:
    """Answer one message on stdout, then free the model.

    Raises:
        SmallholdError: as `Agent.run`.
    """
    try:
        if as_json:
            result = await agent.run(text, session=session)
            write_json(result_json(result, model=model_name(agent.config)))
        else:
            transcript = Transcript(answer=result_console(), notes=side_console())
            await answer_aloud(agent, text, listener=transcript, session=session)
    finally:
        await close_agent(agent)


async def show_resumed(agent: Agent, run_id: str, *, as_json: bool) -> None:
    """Go on with a run, show how it ended on stdout, then free the model.

    Raises:
        SmallholdError: as `Agent.resume`.
    """
    try:
        result = await agent.resume(run_id)
    finally:
        await close_agent(agent)
    if as_json:
        write_json(result_json(result, model=model_name(agent.config)))
        return
    result_console().print(foreign(result.text), soft_wrap=True)
    for note in notes_of(result):
        side_console().print(note_line(note), soft_wrap=True)


def result_json(result: Result[object], *, model: str) -> JsonObject:
    """Write a finished run as JSON."""
    steps: list[JsonValue] = [_step_json(step) for step in result.steps]
    return {
        "text": result.text,
        "ending": result.ending.value,
        "intent": None if result.intent is None else result.intent.value,
        "margin": result.margin,
        "steps": steps,
        "dropped": [_dropped_json(dropped) for dropped in result.dropped],
        "flags": [_flag_json(flag) for flag in result.flags],
        "usage": _usage_json(result.usage),
        "timing": _timing_json(result.timing),
        "model": model,
        "run_id": result.run_id,
        "approvals": [_approval_json(approval) for approval in result.approvals],
    }


def _step_json(step: Step) -> JsonObject:
    return {
        "tool": step.call.name,
        "arguments": step.call.arguments,
        "content": step.content,
        "is_error": step.is_error,
        "ran": step.ran,
        "margin": step.margin,
        "refusal": None if step.refusal is None else step.refusal.value,
    }


def _approval_json(approval: Approval) -> JsonObject:
    return {
        "id": approval.id,
        "tool": approval.tool,
        "arguments": approval.arguments,
        "why": approval.why,
        "status": approval.status.value,
        "expires_s": approval.expires_s,
    }


def _dropped_json(dropped: Dropped) -> JsonObject:
    return {"kind": dropped.kind.value, "what": dropped.what, "tokens": dropped.tokens}


def _flag_json(flag: Flag) -> JsonObject:
    return {
        "guardrail": flag.guardrail,
        "stage": flag.stage.value,
        "outcome": flag.outcome.value,
        "reason": flag.reason,
    }


def _usage_json(usage: Usage) -> JsonObject:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "cached_tokens": usage.cached_tokens,
        "completion_tokens": usage.completion_tokens,
        "forced_tokens": usage.forced_tokens,
        "passes": usage.passes,
    }


def _timing_json(timing: Timing) -> JsonObject:
    return {
        "queued_s": timing.queued_s,
        "first_token_s": timing.first_token_s,
        "total_s": timing.total_s,
    }
