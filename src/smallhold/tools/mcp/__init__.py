"""The Model Context Protocol: tools of other programs for agents, and agents for others."""

from smallhold.tools.mcp.addresses import ProcessAddress, ServerAddress, WebAddress
from smallhold.tools.mcp.client import MCPServer
from smallhold.tools.mcp.hints import Approval, ToolHints
from smallhold.tools.mcp.offered_tools import LeftOut, Made
from smallhold.tools.mcp.offers import Changes, OfferedPrompt, PromptArgument
from smallhold.tools.mcp.reading import CallResult, Resource, ResourceContent
from smallhold.tools.mcp.settings import MCPLimits, MCPOptions, WhenChanged

__all__ = [
    "Approval",
    "CallResult",
    "Changes",
    "LeftOut",
    "MCPLimits",
    "MCPOptions",
    "MCPServer",
    "Made",
    "OfferedPrompt",
    "ProcessAddress",
    "PromptArgument",
    "Resource",
    "ResourceContent",
    "ServerAddress",
    "ToolHints",
    "WebAddress",
    "WhenChanged",
]
