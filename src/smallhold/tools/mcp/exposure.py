"""What other programs may use of an agent: this file holds the choice of its tools, and `ask`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from smallhold.messages import JsonObject, ToolSchema
from smallhold.tools.definition import AnyTool
from smallhold.tools.mcp.offered_tools import LeftOut
from smallhold.tools.toolset import ToolSet

ASK_NAME: Final = "ask"
_OTHER_ASK_NAME: Final = "ask_agent"
_SESSION_LIMIT_CHARS: Final = 200
SESSION_PREFIX: Final = "mcp-"
"""Sessions of other programs are their own: none can go on with a conversation of somebody else."""
_ASK_PARAMETERS: Final[JsonObject] = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "description": "The message, in plain words."},
        "session": {
            "type": "string",
            "description": "A name of your choice; messages under one name are a conversation.",
            "maxLength": _SESSION_LIMIT_CHARS,
        },
    },
    "required": ["text"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What is served of an agent."""

    ask: ToolSchema
    """The tool that answers messages."""
    tools: tuple[AnyTool, ...]
    left_out: tuple[LeftOut, ...]

    def tool(self, name: str) -> AnyTool | None:
        """Find one of the agent's tools; `None` for any other name."""
        return next((tool for tool in self.tools if tool.name == name), None)


def exposure_of(tools: ToolSet, *, agent: str, only_ask: bool = False) -> Exposure:
    """Choose what is served.

    Left out are tools that a person must approve, since nobody is asked on this way, and those that
    need to be told whose data they work on.

    Args:
        tools: The agent's.
        agent: Its name, for the description of `ask`.
        only_ask: Serve none of them.
    """
    reasons = {tool.name: _reason(tool) for tool in tools}
    left_out = tuple(
        LeftOut(name=name, reason=reason) for name, reason in reasons.items() if reason is not None
    )
    served = () if only_ask else tuple(tool for tool in tools if reasons[tool.name] is None)
    is_taken = any(tool.name == ASK_NAME for tool in served)
    ask = ToolSchema(
        name=_OTHER_ASK_NAME if is_taken else ASK_NAME,
        description=f"Ask the agent {agent!r} something; it answers in words.",
        parameters=_ASK_PARAMETERS,
    )
    return Exposure(ask=ask, tools=served, left_out=left_out)


def session_name(session: str | None) -> str | None:
    """Name the agent's session for the one that another program has named."""
    return None if session is None else f"{SESSION_PREFIX}{session[:_SESSION_LIMIT_CHARS]}"


def _reason(tool: AnyTool) -> str | None:
    if tool.may_require_approval:
        return "a person must approve its calls"
    if tool.context is not None and not tool.context.accepts(None):
        return "it needs to be told whose data it works on"
    return None
