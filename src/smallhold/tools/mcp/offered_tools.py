"""From what a server offers to tools of an agent: this file holds the making of `Tool`s."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from smallhold.exceptions import ToolDefinitionError, UnsupportedSchemaError
from smallhold.messages import JsonObject, JsonValue, ToolSchema
from smallhold.tools.definition import AnyTool, Tool
from smallhold.tools.mcp.arguments import ForeignArguments
from smallhold.tools.mcp.foreign_text import cleaned, one_line
from smallhold.tools.mcp.hints import ToolHints, needs_approval
from smallhold.tools.mcp.offers import Listing, OfferedPrompt, OfferedTool
from smallhold.tools.mcp.settings import MCPOptions
from smallhold.tools.mcp.tool_names import tool_names
from smallhold.tools.mcp.tool_schemas import usable_schema
from smallhold.tools.results import RESULT_LIMIT_CHARS, cut
from smallhold.tools.run_context import AnyContext, ContextParameter

Call: TypeAlias = Callable[[JsonObject, str], Awaitable[str]]
"""Takes arguments and an idempotency key, `""` for none; gives what the model reads."""

_CONTEXT: Final = "run context"
"""Name of the parameter that takes the `RunContext`: no JSON Schema of a tool names one so, since
it is shown to nobody."""
_KEY_DIGITS: Final = 32
_PROMPT_PREFIX: Final = "prompt_"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Something that a server offers and no model is shown."""

    name: str
    """As the server writes it."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The tools that became of a server's offers."""

    tools: tuple[AnyTool, ...]
    left_out: tuple[LeftOut, ...] = ()
    left_to_server: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Tools with the keywords of their schemas that only the server enforces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """What one tool is made of."""

    offer: str
    """What the server calls it."""
    description: str
    input_schema: JsonObject
    hints: ToolHints
    call: Call


def make_tools(blueprints: Iterable[Blueprint], *, options: MCPOptions) -> Made:
    """Make tools; those that no model could use are left out, with the reason.

    Args:
        blueprints: In the order that tools shall have.
        options: Names, limits and approvals.
    """
    plans = list(blueprints)
    names = tool_names([plan.offer for plan in plans], prefix=options.prefix)
    tools: list[AnyTool] = []
    left_out: list[LeftOut] = []
    left_to_server: list[tuple[str, tuple[str, ...]]] = []
    taken: set[str] = set()
    for plan in plans:
        name = names[plan.offer]
        try:
            if name in taken:
                raise _taken(name)
            tool, left = _tool(plan, name=name, options=options)
        except UnsupportedSchemaError as error:
            left_out.append(LeftOut(name=plan.offer, reason=error.detail))
        except ToolDefinitionError as error:
            left_out.append(LeftOut(name=plan.offer, reason=error.problem))
        else:
            taken.add(name)
            tools.append(tool)
            left_to_server += [(name, left)] if left else []
    return Made(tools=tuple(tools), left_out=tuple(left_out), left_to_server=tuple(left_to_server))


def tool_blueprints(listing: Listing, *, call: Callable[[OfferedTool], Call]) -> list[Blueprint]:
    """Plan the tools of a listing."""
    return [
        Blueprint(
            offer=tool.name,
            description=tool.description or tool.name,
            input_schema=tool.input_schema,
            hints=tool.hints,
            call=call(tool),
        )
        for tool in listing.tools
    ]


def prompt_blueprints(
    listing: Listing, *, call: Callable[[OfferedPrompt], Call]
) -> list[Blueprint]:
    """Plan a tool for each prompt, with a text for each of its gaps."""
    return [
        Blueprint(
            offer=f"{_PROMPT_PREFIX}{prompt.name}",
            description=prompt.description or prompt.name,
            input_schema=_prompt_schema(prompt),
            hints=ToolHints(read_only=True),
            call=call(prompt),
        )
        for prompt in listing.prompts
    ]


def readable(text: str) -> str:
    """Write a server's result for a model: not too long, and without control tokens."""
    return cleaned(cut(text, limit_chars=RESULT_LIMIT_CHARS))


def _tool(plan: Blueprint, *, name: str, options: MCPOptions) -> tuple[AnyTool, tuple[str, ...]]:
    usable = usable_schema(plan.input_schema)
    description = one_line(plan.description, limit_chars=options.limits.description_chars)
    schema = ToolSchema(name=name, description=description or name, parameters=usable.schema)

    async def run(**values: Any) -> str:
        context: AnyContext = values.pop(_CONTEXT)
        return await plan.call(values, _idempotency_key(context))

    tool: AnyTool = Tool(
        schema=schema,
        function=run,
        arguments=ForeignArguments(schema=usable.schema),
        timeout_s=options.limits.call_s,
        context=ContextParameter(name=_CONTEXT),
        idempotent=plan.hints.may_repeat,
        requires_approval=needs_approval(plan.hints, approval=options.approval),
    )
    return tool, usable.left_to_server


def _idempotency_key(context: AnyContext) -> str:
    """Tell one call from another, and know the same call again after a restart."""
    if not context.call_id:
        return ""
    text = f"{context.session or ''}\0{context.call_id}"
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_DIGITS]


def _prompt_schema(prompt: OfferedPrompt) -> JsonObject:
    required: list[JsonValue] = [each.name for each in prompt.arguments if each.is_required]
    return {
        "type": "object",
        "properties": {
            each.name: {"type": "string", "description": each.description}
            for each in prompt.arguments
        },
        "required": required,
    }


def _taken(name: str) -> ToolDefinitionError:
    return ToolDefinitionError(
        tool=name,
        parameter=None,
        problem=f"its name would be {name!r}, which another one has",
        remedy="Give the server a prefix.",
    )
