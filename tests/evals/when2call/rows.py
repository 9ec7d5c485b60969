"""What the tests of When2Call share: this file holds invented rows."""

from __future__ import annotations

import json
from pathlib import Path

from smallhold.evals.when2call import Behaviour, RowResult, When2CallRow
from smallhold.evals.when2call.runner import Behaved
from smallhold.messages import JsonObject, JsonValue, Message, Role, ToolSchema, Usage

CALL, ASK, CANNOT = Behaviour.TOOL_CALL, Behaviour.REQUEST_FOR_INFO, Behaviour.CANNOT_ANSWER


def row_record(name: str, *, label: str = "tool_call", tools: int = 1) -> JsonObject:
    function: JsonObject = {
        "name": "weather",
        "description": "Tell the weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    }
    offered: list[JsonValue] = [{"type": "function", "function": function}]
    return {
        "id": name,
        "messages": [{"role": "user", "content": "How is the weather in Oslo?"}],
        "tools": offered * tools,
        "label": label,
        "target_tool": "weather" if label == "tool_call" else None,
        "answers": {"direct": "Sunny."},
    }


def write_rows(path: Path, *records: JsonObject) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(record) for record in records), "utf-8")
    return path


def row(label: Behaviour = CALL, *, name: str = "r", has_tools: bool = True) -> When2CallRow:
    weather = ToolSchema(
        name="weather",
        description="Tell the weather of a city.",
        parameters={
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    )
    return When2CallRow(
        id=name,
        messages=(Message(role=Role.USER, content="How is the weather in Oslo?"),),
        tools=(weather,) if has_tools else (),
        label=label,
        target_tool="weather" if label is CALL else None,
    )


def result(
    label: Behaviour, done: Behaviour | None, *, tool: str = "weather", is_direct: bool = False
) -> RowResult:
    if done is None:
        return RowResult(row=row(label), behaved=None)
    behaved = Behaved(
        behaviour=done,
        usage=Usage(passes=4, prompt_tokens=100),
        tools=(tool,) if done is CALL else (),
        is_direct=is_direct,
    )
    return RowResult(row=row(label), behaved=behaved)
