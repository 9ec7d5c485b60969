"""Arguments for a tool: this file holds their decoding.

They are decoded under the tool's schema and the forms that its descriptions state, then compared
with what was said: what nobody said is left out or chosen anew.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from smallhold.agents.argument_schema import bounded_schema
from smallhold.agents.call_script import call_script
from smallhold.agents.copying import revise
from smallhold.agents.mentions import Said
from smallhold.agents.stated_forms import with_stated_forms
from smallhold.exceptions import ConfigError, ModelOutputError
from smallhold.generation import GenerationRequest, JsonSchemaConstraint, Prompt
from smallhold.messages import (
    FinishReason,
    JsonObject,
    Message,
    Role,
    ToolCall,
    ToolSchema,
    Usage,
)
from smallhold.runtimes.dialects import JSON_LINES
from smallhold.runtimes.protocol import Runtime


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
    invented: tuple[str, ...] = ()
    """Required arguments whose decoded values nobody mentioned; see `Revision.invented`."""
    is_complete: bool = True
    extra_usage: Usage = field(default_factory=Usage)
    """Cost of choosing unmentioned values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filler:
    """Fills tools on a runtime whose decoder is ours."""

    runtime: Runtime
    max_tokens: int
    """Most tokens of one call's arguments."""

    async def best(
        self, prompt: Prompt, names: Sequence[str], *, made: Sequence[ToolCall] = ()
    ) -> Filling:
        """Fill tools until one needs nothing that nobody mentioned; at least one is named.

        Raises:
            ConfigError: none is named.
            ModelOutputError: what was decoded is not a JSON object.
        """
        usage = Usage()
        chosen: Filling | None = None
        for name in names:
            filling = await self.fill(prompt, tool_named(prompt.tools, name), made=made)
            usage += filling.usage
            if chosen is None or (filling.is_complete and filling.unmentioned < chosen.unmentioned):
                chosen = filling
            if chosen.unmentioned == 0 or not filling.is_complete:
                break
        if chosen is None:
            raise ConfigError(field="names", value=names, remedy="name at least one tool")
        chosen = await self.copied(prompt, chosen, made=made)
        return replace(chosen, usage=usage + chosen.extra_usage)

    async def fill(
        self, prompt: Prompt, tool: ToolSchema, *, made: Sequence[ToolCall] = ()
    ) -> Filling:
        """Decode a tool's arguments under its schema.

        Arguments that reached `max_tokens` are given as empty, and marked incomplete.
        """
        spoken = spoken_text(prompt.messages, skip=prompt.fixed_messages)
        schema = with_stated_forms(bounded_schema(tool.parameters), said=spoken)
        arguments, usage = await self._decode(prompt, tool, schema=schema, made=made)
        if arguments is None:
            return Filling(tool=tool, usage=usage, arguments={}, is_complete=False)
        revision = revise(
            arguments, schema, said=Said(spoken), asked=Said(asked_text(prompt.messages))
        )
        return Filling(
            tool=tool,
            usage=usage,
            arguments=revision.arguments,
            narrowed=revision.narrowed,
            unmentioned=revision.unmentioned,
            invented=revision.invented,
        )

    async def copied(
        self, prompt: Prompt, filling: Filling, *, made: Sequence[ToolCall] = ()
    ) -> Filling:
        """Choose values that nobody mentioned anew, among those that were."""
        if filling.narrowed is None:
            return filling
        arguments, usage = await self._decode(
            prompt, filling.tool, schema=filling.narrowed, made=made
        )
        kept = filling.arguments if arguments is None else arguments
        return replace(filling, arguments=kept, extra_usage=usage)

    async def _decode(
        self, prompt: Prompt, tool: ToolSchema, *, schema: JsonObject, made: Sequence[ToolCall]
    ) -> tuple[JsonObject | None, Usage]:
        request = GenerationRequest(
            prompt=call_script(prompt, made=made, opened=tool.name),
            constraint=JsonSchemaConstraint(schema=schema, closing=JSON_LINES.closing),
            max_tokens=self.max_tokens,
        )
        async with self.runtime.stream(request) as stream:
            text = "".join([piece async for piece in stream])
            completion = stream.completion
        if completion.finish_reason is FinishReason.LENGTH:
            return None, completion.usage
        closed = text.removesuffix(JSON_LINES.closing)
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


def asked_text(messages: Sequence[Message]) -> str:
    """Give the user's last message, empty without one."""
    said = (one.content for one in reversed(messages) if one.role is Role.USER)
    return next(said, "")
