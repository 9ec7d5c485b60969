"""One message and its answer: this file holds the command `run`."""

from __future__ import annotations

from smallhold.agents import Agent, Result, Step
from smallhold.agents.context import Dropped
from smallhold.agents.guardrails import Flag
from smallhold.cli.agent_setup import model_name
from smallhold.cli.terminal import result_console, side_console, write_json
from smallhold.cli.transcript import Transcript, answer_aloud
from smallhold.messages import JsonObject, JsonValue, Timing, Usage


async def run_once(agent: Agent, text: str, *, as_json: bool) -> None:
    """Answer one message on stdout, then free the model.

    Raises:
        SmallholdError: as `Agent.run`.
    """
    try:
        if as_json:
            result = await agent.run(text)
            write_json(result_json(result, model=model_name(agent.config)))
        else:
            transcript = Transcript(answer=result_console(), notes=side_console())
            await answer_aloud(agent, text, listener=transcript)
    finally:
        await agent.aclose()


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
