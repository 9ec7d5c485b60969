"""How model families write a tool call as text: this file holds the call dialects."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDialect:
    """The fixed text around a tool call's name and arguments.

    A call reads `before_name` + name + `between` + arguments as JSON + `after`.
    """

    key: str
    """Name of the dialect in the catalog."""
    before_name: str
    between: str
    after: str

    def opening(self, name: str) -> str:
        """Text up to where the arguments of a call of `name` begin."""
        return f"{self.before_name}{json.dumps(name)[1:-1]}{self.between}"

    @property
    def closing(self) -> str:
        """First character after the arguments, which models write in one token with their end."""
        return self.after[:1]

    def scored_name(self, name: str) -> str:
        """Text of `name` as it is scored: with the quote and comma that end it.

        They tell `get` from `get_all`, and are one token with the quote in common vocabularies.
        """
        return f"{json.dumps(name)[1:-1]}{self.between[:2]}"


HERMES = CallDialect(
    key="hermes",
    before_name='<tool_call>\n{"name": "',
    between='", "arguments": ',
    after="}\n</tool_call>",
)
"""Qwen2.5, Qwen3, SmolLM2, SmolLM3, Granite 4.0 and the Hermes fine-tunes. Source: the chat
templates of Qwen2.5, SmolLM3 (`xml_tools`) and Granite 4.0."""

LLAMA3 = CallDialect(
    key="llama3",
    before_name='{"name": "',
    between='", "parameters": ',
    after="}",
)
"""Llama 3.1 and 3.2. Source: the Llama 3.2 chat template."""

PHI4 = CallDialect(
    key="phi4",
    before_name='<|tool_call|>[{"name": "',
    between='", "arguments": ',
    after="}]<|/tool_call|>",
)
"""Phi-4-mini. Source: the Phi-4-mini chat template and its model card."""

GRANITE3 = CallDialect(
    key="granite3",
    before_name='<|tool_call|>[{"name": "',
    between='", "arguments": ',
    after="}]",
)
"""Granite 3.x. Source: the system prompt for tools in the Granite 3.3 chat template."""

LFM2 = CallDialect(
    key="lfm2",
    before_name='<|tool_call_start|>[{"name": "',
    between='", "arguments": ',
    after="}]<|tool_call_end|>",
)
"""LFM2 when it is asked for JSON; left alone it writes Python calls between the same two tokens.
Source: the section on tool use of the LFM2 model cards."""

GEMMA3 = CallDialect(
    key="gemma3",
    before_name='{"name": "',
    between='", "parameters": ',
    after="}",
)
"""Gemma 3, whose chat template knows no tools. Source: the JSON form of Google's guide to function
calling with Gemma 3."""

JSON_LINES = CallDialect(
    key="json_lines",
    before_name='{"name": "',
    between='", "arguments": ',
    after="}",
)
"""One call on a line as plain JSON: no model's own form, and one that every model can follow after
a few samples. Agents decide in it."""

DIALECTS = {
    dialect.key: dialect for dialect in (HERMES, LLAMA3, PHI4, GRANITE3, LFM2, GEMMA3, JSON_LINES)
}
