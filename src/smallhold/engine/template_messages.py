"""How messages and tools are handed to a chat template: this file holds the building of its input.

Templates differ in what they understand. What one does not know is written as text instead, in the
form that Qwen2.5 and the Hermes fine-tunes were trained on, so that every model can be given a
system message and tools. All of a message's text is marked as untrusted; the scaffolding around
it, and the instructions about tools, are ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from smallhold.engine.template_json import write_json
from smallhold.engine.template_text import MarkedText, Marks, concatenate
from smallhold.messages import JsonObject, JsonValue, Message, Role, ToolCall, ToolSchema

TemplateMessage: TypeAlias = dict[str, object]


class ToolStyle(StrEnum):
    """How a template is told which tools there are."""

    VARIABLE = "variable"
    """It reads the variable `tools`."""
    SYSTEM_FIELD = "system_field"
    """It reads `tools`, as JSON text, from the system message (Phi-4-mini)."""
    TEXT = "text"
    """It knows no tools; they are written into the system message."""


class CallStyle(StrEnum):
    """How a template is told which tools an assistant has called, and what they returned."""

    OBJECT = "object"
    """`tool_calls` whose arguments are objects, and messages of role `tool`."""
    JSON = "json"
    """The same with arguments as JSON text (DeepSeek)."""
    PHI = "phi"
    """Calls as text of the form that Phi-4-mini writes, results of role `tool`."""
    TEXT = "text"
    """Calls and results as text; results are spoken by the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFeatures:
    """What a template understands."""

    has_system: bool
    """False where a system message is refused (Gemma) and so is put before the user's text."""
    tools: ToolStyle
    calls: CallStyle
    has_parallel_calls: bool = True
    """False where only one call per message is accepted (Llama 3.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateInput:
    """The two variables of a template that hold the conversation."""

    messages: list[TemplateMessage]
    tools: list[JsonObject] | None


_TOOLS_OPENING = (
    "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
    "You are provided with function signatures within <tools></tools> XML tags:\n<tools>"
)
_TOOLS_CLOSING = (
    "\n</tools>\n\nFor each function call, return a json object with function name and arguments "
    "within <tool_call></tool_call> XML tags:\n<tool_call>\n"
    '{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>'
)
"""Source of both: the Qwen2.5 chat template, word for word."""


def build_input(
    messages: Sequence[Message],
    tools: Sequence[ToolSchema],
    *,
    features: TemplateFeatures,
    marks: Marks,
) -> TemplateInput:
    """Turn messages and tools into the variables that a template with `features` expects."""
    writer = _InputWriter(features=features, marks=marks)
    turns = messages if features.has_parallel_calls else tuple(_one_call_each(messages))
    rows = writer.turns(turns)
    schemas = [writer.schema(tool) for tool in tools]
    if tools and features.tools is not ToolStyle.VARIABLE:
        rows = writer.with_tools_in_system(rows, schemas)
    if not features.has_system:
        rows = _folded(rows, marks)
    is_variable = features.tools is ToolStyle.VARIABLE and bool(tools)
    return TemplateInput(messages=rows, tools=schemas if is_variable else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _InputWriter:
    features: TemplateFeatures
    marks: Marks

    def schema(self, tool: ToolSchema) -> JsonObject:
        """A tool in the form of the OpenAI API, which templates read."""
        mark = self.marks.mark
        return {
            "type": "function",
            "function": {
                "name": mark(tool.name),
                "description": mark(tool.description),
                "parameters": self._marked(tool.parameters),
            },
        }

    def turns(self, messages: Sequence[Message]) -> list[TemplateMessage]:
        """One row for each message, or for each run of tool results that are written as text."""
        ids = _short_ids(messages)
        names = {call.id: call.name for message in messages for call in message.tool_calls}
        rows: list[TemplateMessage] = []
        was_result = False
        for message in messages:
            is_result = message.role is Role.TOOL and self.features.calls is CallStyle.TEXT
            row = self._result_as_text(message) if is_result else self._turn(message, ids, names)
            if is_result and was_result:
                rows[-1]["content"] = self._joined(rows[-1]["content"], "\n", row["content"])
            else:
                rows.append(row)
            was_result = is_result
        return rows

    def with_tools_in_system(
        self, rows: list[TemplateMessage], schemas: list[JsonObject]
    ) -> list[TemplateMessage]:
        """Describe the tools in the system message, which is made where there is none."""
        has_system = bool(rows) and rows[0]["role"] == Role.SYSTEM.value
        first = rows[0] if has_system else {"role": Role.SYSTEM.value, "content": ""}
        rest = rows[1:] if has_system else rows
        if self.features.tools is ToolStyle.SYSTEM_FIELD:
            functions: list[JsonValue] = [schema["function"] for schema in schemas]
            return [{**first, "tools": self._json(functions)}, *rest]
        lines = [part for schema in schemas for part in ("\n", self._json(schema))]
        gap = "\n\n" if first["content"] else ""
        content = self._joined(first["content"], gap, _TOOLS_OPENING, *lines, _TOOLS_CLOSING)
        return [{**first, "content": content}, *rest]

    def _turn(
        self, message: Message, ids: Mapping[str, str], names: Mapping[str, str]
    ) -> TemplateMessage:
        row: TemplateMessage = {
            "role": message.role.value,
            "content": self.marks.mark(message.content),
        }
        if message.role is Role.TOOL and message.tool_call_id is not None:
            row["tool_call_id"] = ids[message.tool_call_id]
            row["name"] = self.marks.mark(names.get(message.tool_call_id, ""))
        if message.tool_calls and self.features.calls in {CallStyle.OBJECT, CallStyle.JSON}:
            row["tool_calls"] = [self._call(call, ids) for call in message.tool_calls]
        elif message.tool_calls:
            row["content"] = self._joined(row["content"], *self._calls_as_text(message))
        return row

    def _call(self, call: ToolCall, ids: Mapping[str, str]) -> TemplateMessage:
        is_json = self.features.calls is CallStyle.JSON
        arguments = self._json(call.arguments) if is_json else self._marked(call.arguments)
        function = {"name": self.marks.mark(call.name), "arguments": arguments}
        return {"type": "function", "id": ids[call.id], "function": function}

    def _calls_as_text(self, message: Message) -> Iterable[str]:
        bodies = [
            self._joined(
                '{"name": ',
                self._json(call.name),
                ', "arguments": ',
                self._json(call.arguments),
                "}",
            )
            for call in message.tool_calls
        ]
        if self.features.calls is CallStyle.PHI:
            listing = concatenate([", ".join(bodies)], self.marks)
            return ("<|tool_call|>[", listing, "]<|/tool_call|>")
        gap = "\n" if message.content else ""
        blocks = (f"<tool_call>\n{''.join([body])}\n</tool_call>" for body in bodies)
        return (gap, "\n".join(blocks))

    def _result_as_text(self, message: Message) -> TemplateMessage:
        content = self.marks.mark(message.content)
        text = self._joined("<tool_response>\n", content, "\n</tool_response>")
        return {"role": Role.USER.value, "content": text}

    def _json(self, value: JsonValue) -> MarkedText:
        """Untrusted JSON as text; its punctuation is untrusted with it."""
        return self.marks.mark(self.marks.plain(write_json(value, self.marks)))

    def _marked(self, value: JsonValue) -> JsonValue:
        if isinstance(value, str):
            return self.marks.mark(value)
        if isinstance(value, dict):
            return {self.marks.mark(key): self._marked(item) for key, item in value.items()}
        return [self._marked(item) for item in value] if isinstance(value, list) else value

    def _joined(self, *parts: object) -> MarkedText:
        return concatenate([part for part in parts if isinstance(part, str)], self.marks)


def _short_ids(messages: Sequence[Message]) -> dict[str, str]:
    """Number the calls: prompts do not depend on random ids, and Mistral wants nine letters."""
    named = [
        call_id
        for message in messages
        for call_id in (*(call.id for call in message.tool_calls), message.tool_call_id)
        if call_id is not None
    ]
    return {call_id: f"call{number:05d}" for number, call_id in enumerate(dict.fromkeys(named))}


def _one_call_each(messages: Sequence[Message]) -> Iterable[Message]:
    """Give each call a message of its own, followed by its result."""
    results = {message.tool_call_id: message for message in messages if message.role is Role.TOOL}
    moved: set[str] = set()
    for message in messages:
        if len(message.tool_calls) > 1:
            for number, call in enumerate(message.tool_calls):
                content = "" if number else message.content
                yield Message(role=message.role, content=content, tool_calls=(call,))
                if call.id in results:
                    moved.add(call.id)
                    yield results[call.id]
        elif message.tool_call_id not in moved:
            yield message


def _folded(rows: list[TemplateMessage], marks: Marks) -> list[TemplateMessage]:
    """Let the user speak the system messages; neighbouring messages of the user become one."""
    folded: list[TemplateMessage] = []
    for row in rows:
        is_user = row["role"] in {Role.SYSTEM.value, Role.USER.value}
        if is_user and folded and folded[-1]["role"] == Role.USER.value:
            parts = (str(folded[-1]["content"]), "\n\n", str(row["content"]))
            folded[-1] = {**folded[-1], "content": concatenate(parts, marks)}
        else:
            folded.append({**row, "role": Role.USER.value if is_user else row["role"]})
    return folded
