"""From an MCP server's JSON to our values and back: this file holds the reading and writing.

The SDK has checked the JSON against the protocol's schema already. What stands in it is foreign.
Source: MCP specification 2025-11-25 and 2026-07-28, schema.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass

from smallhold.messages import JsonObject, JsonValue, Message, Role
from smallhold.tools.mcp.hints import ToolHints
from smallhold.tools.mcp.offers import OfferedPrompt, OfferedTool, PromptArgument

_HINTS = (
    ("readOnlyHint", "read_only"),
    ("destructiveHint", "destructive"),
    ("idempotentHint", "idempotent"),
    ("openWorldHint", "open_world"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Something that a server lets read: a file, a row, a page."""

    uri: str
    """With gaps in braces for a template. Source: RFC 6570."""
    name: str
    description: str = ""
    media_type: str | None = None
    is_template: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceContent:
    """What was read; text or bytes."""

    uri: str
    media_type: str | None = None
    text: str | None = None
    data: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """What a server's tool gave back."""

    text: str
    """For people and models; other content than text is named, not shown."""
    structured: JsonValue = None
    is_error: bool = False


def read_tool(data: JsonObject) -> OfferedTool:
    """Read one entry of `tools/list`."""
    annotations = _object(data.get("annotations"))
    told = {ours: annotations[theirs] is True for theirs, ours in _HINTS if theirs in annotations}
    output = data.get("outputSchema")
    return OfferedTool(
        name=_text(data.get("name")),
        description=_text(data.get("description"))
        or _text(data.get("title"))
        or _text(annotations.get("title")),
        input_schema=_object(data.get("inputSchema")),
        output_schema=output if isinstance(output, dict) else None,
        hints=ToolHints(**told),
    )


def write_tool(tool: OfferedTool) -> JsonObject:
    """Write a tool as `read_tool` reads it."""
    hints: JsonObject = {
        theirs: value for theirs, ours in _HINTS if (value := getattr(tool.hints, ours)) is not None
    }
    written: JsonObject = {
        "name": tool.name,
        "description": tool.description,
        "inputSchema": tool.input_schema,
        "annotations": hints,
    }
    if tool.output_schema is not None:
        written["outputSchema"] = tool.output_schema
    return written


def read_prompt(data: JsonObject) -> OfferedPrompt:
    """Read one entry of `prompts/list`."""
    return OfferedPrompt(
        name=_text(data.get("name")),
        description=_text(data.get("description")) or _text(data.get("title")),
        arguments=tuple(
            PromptArgument(
                name=_text(argument.get("name")),
                description=_text(argument.get("description")),
                is_required=argument.get("required") is True,
            )
            for argument in objects(data.get("arguments"))
        ),
    )


def write_prompt(prompt: OfferedPrompt) -> JsonObject:
    """Write a prompt as `read_prompt` reads it."""
    arguments: list[JsonValue] = [
        {"name": each.name, "description": each.description, "required": each.is_required}
        for each in prompt.arguments
    ]
    return {"name": prompt.name, "description": prompt.description, "arguments": arguments}


def read_resource(data: JsonObject) -> Resource:
    """Read one entry of `resources/list` or `resources/templates/list`."""
    template = _text(data.get("uriTemplate"))
    media_type = data.get("mimeType")
    return Resource(
        uri=template or _text(data.get("uri")),
        name=_text(data.get("name")),
        description=_text(data.get("description")),
        media_type=media_type if isinstance(media_type, str) else None,
        is_template=bool(template),
    )


def read_content(data: JsonObject) -> ResourceContent:
    """Read one part of what `resources/read` gives."""
    media_type, text, blob = data.get("mimeType"), data.get("text"), data.get("blob")
    return ResourceContent(
        uri=_text(data.get("uri")),
        media_type=media_type if isinstance(media_type, str) else None,
        text=text if isinstance(text, str) else None,
        data=_bytes(blob) if isinstance(blob, str) else None,
    )


def content_text(contents: Sequence[ResourceContent]) -> str:
    """Write what was read as one text; bytes are named, not shown."""
    return "\n".join(
        part.text
        if part.text is not None
        else f"[{part.media_type or 'data'}, {len(part.data or b''):,} bytes]"
        for part in contents
    )


def read_message(data: JsonObject) -> Message:
    """Read one message of what `prompts/get` gives."""
    role = Role.ASSISTANT if data.get("role") == "assistant" else Role.USER
    return Message(role=role, content=_block_text(_object(data.get("content"))))


def read_result(data: JsonObject) -> CallResult:
    """Read what `tools/call` gives."""
    return CallResult(
        text="\n".join(_block_text(block) for block in objects(data.get("content"))),
        structured=data.get("structuredContent"),
        is_error=data.get("isError") is True,
    )


def result_text(result: CallResult) -> str:
    """Write a result as text; one that is the same in both forms, or only structured, as JSON."""
    if result.structured is None:
        return result.text
    if result.text.strip() and _parsed(result.text) != result.structured:
        return result.text
    return json.dumps(result.structured, ensure_ascii=False, separators=(",", ":"))


def objects(value: JsonValue) -> list[JsonObject]:
    """Take the objects out of a list; of anything else none."""
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict)]


def _block_text(block: JsonObject) -> str:
    match block.get("type"):
        case "text":
            return _text(block.get("text"))
        case "image" | "audio" as kind:
            size = len(_bytes(_text(block.get("data"))))
            return f"[{kind}, {_text(block.get('mimeType'))}, {size:,} bytes]"
        case "resource":
            return content_text([read_content(_object(block.get("resource")))])
        case "resource_link":
            return f"[resource {_text(block.get('name'))}: {_text(block.get('uri'))}]"
        case _:
            return "[content of an unknown kind]"


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return b""


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""
