"""Calls that cannot run as they are: this file holds what the model is told of them.

A small model repairs a call best from one short line that names what was wrong, what it wrote and
what would be right.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from smallhold.agents.planning import PlannedCall, call_text
from smallhold.agents.result import MENDABLE, Refusal, Step
from smallhold.agents.speaking import Speech
from smallhold.agents.text_calls import BrokenCall, TextCall, meant_name, mended_arguments
from smallhold.messages import FinishReason, Message, ToolCall
from smallhold.tools import MESSAGE_LIMIT_CHARS, AnyTool, ToolSet, UnknownTool
from smallhold.tools.definition import properties_of
from smallhold.tools.problems import InvalidArguments, shorten

MAX_REPAIRS: Final = 2
"""How often in a run a model is told what is wrong with its calls; the next wrong one ends the run.
Source: pydantic-ai and others raise after 1; a weak model that needs a third try needs a tenth."""
UNREADABLE_CALL: Final = "unreadable_call"
"""Name of a call whose tool cannot be told."""
_SHOWN_CHARS: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a call cannot run, and what the model is told."""

    refusal: Refusal
    message: str


def sound_tool(planned: PlannedCall, tool: AnyTool | UnknownTool) -> AnyTool | Fault:
    """Give a call's tool if the call is sound, or what the model would have to mend.

    Args:
        planned: The call.
        tool: What the tool set knows by its name.
    """
    call = planned.call
    if not planned.is_complete:
        message = f"Error: the call was cut off before its end and was not run.{_form(tool)}"
        return Fault(refusal=Refusal.UNREADABLE, message=_line(message))
    if isinstance(tool, UnknownTool):
        return _unknown(call, tool)
    if call.raw_arguments is not None:
        message = (
            f"Error: the arguments of `{call.name}` are not a JSON object, got: "
            f"{_shown(call.raw_arguments)}.{_form(tool)}"
        )
        return Fault(refusal=Refusal.UNREADABLE, message=_line(message))
    checked = tool.validate(call.arguments)
    if isinstance(checked, InvalidArguments):
        return Fault(refusal=Refusal.INVALID_ARGUMENTS, message=checked.message)
    return tool


def _unknown(call: ToolCall, tool: UnknownTool) -> Fault:
    if call.name != UNREADABLE_CALL or call.raw_arguments is None:
        return Fault(refusal=Refusal.UNKNOWN_TOOL, message=f"Error: {tool.message}")
    message = (
        f"Error: this cannot be read as a call: {_shown(call.raw_arguments)}. "
        f"Tools: {', '.join(tool.known)}."
    )
    return Fault(refusal=Refusal.UNREADABLE, message=_line(message))


def failed_repairs(steps: Sequence[Step]) -> int:
    """Count the decisions of a run that led to a call which the model had to mend."""
    return len({step.decision for step in steps if step.refusal in MENDABLE})


def calls_of_speech(speech: Speech, tools: ToolSet) -> tuple[PlannedCall, ...]:
    """Take the calls out of what a model said, the same call no more than once.

    Slips that leave no doubt are mended: the spelling of a name, arguments that are almost JSON.
    """
    calls = [
        *(_native_call(call, tools) for call in speech.native_calls),
        *(_written_call(found) for found in speech.text_calls),
    ]
    if speech.native_calls and speech.finish_reason is FinishReason.LENGTH:
        calls[-1] = replace(calls[-1], is_complete=False)
    unique: dict[tuple[str, str | None], PlannedCall] = {}
    for one in calls:
        unique.setdefault((call_text([one.call]), one.call.raw_arguments), one)
    return tuple(unique.values())


def told_apart(
    planned: Sequence[PlannedCall], conversation: Sequence[Message]
) -> tuple[PlannedCall, ...]:
    """Give calls ids that are not in use yet: servers leave them out, or use the same again."""
    used = {call.id for message in conversation for call in message.tool_calls}
    apart: list[PlannedCall] = []
    for one in planned:
        call_id, number = one.call.id, len(used)
        while not call_id or call_id in used:
            number += 1
            call_id = f"call_{number}"
        used.add(call_id)
        apart.append(replace(one, call=replace(one.call, id=call_id)))
    return tuple(apart)


def _native_call(call: ToolCall, tools: ToolSet) -> PlannedCall:
    arguments, raw = call.arguments, call.raw_arguments
    if raw is not None and (mended := mended_arguments(raw)) is not None:
        arguments, raw = mended, None
    name = meant_name(call.name, tools.names) or call.name
    written = replace(call, name=name, arguments=arguments, raw_arguments=raw)
    return PlannedCall(call=written, margin=None, is_complete=True)


def _written_call(found: TextCall | BrokenCall) -> PlannedCall:
    if isinstance(found, TextCall):
        call = ToolCall(
            id="", name=found.name, arguments=found.arguments, raw_arguments=found.raw_arguments
        )
        return PlannedCall(call=call, margin=None, is_complete=True)
    name = found.name or UNREADABLE_CALL
    call = ToolCall(id="", name=name, arguments={}, raw_arguments=found.written)
    return PlannedCall(call=call, margin=None, is_complete=not found.is_cut)


def _form(tool: AnyTool | UnknownTool) -> str:
    """Show how a tool's arguments are written, by the names of its parameters."""
    if isinstance(tool, UnknownTool):
        return ""
    form = json.dumps(dict.fromkeys(properties_of(tool.schema), "..."), ensure_ascii=False)
    return f" Write them as {form}."


def _shown(text: str) -> str:
    return shorten(text, limit_chars=_SHOWN_CHARS)


def _line(message: str) -> str:
    return shorten(message, limit_chars=MESSAGE_LIMIT_CHARS)
