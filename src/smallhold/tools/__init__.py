"""Tools: Python functions that a model can call, described, validated and run safely."""

from smallhold.tools.definition import (
    TOOL_TIMEOUT_S,
    AnyTool,
    ApprovalRule,
    Tool,
    ToolOptions,
    as_tool,
    tool,
    tool_from_function,
)
from smallhold.tools.execution import OutcomeKind, ToolOutcome, run_tool
from smallhold.tools.loading import load_object, load_tools
from smallhold.tools.problems import MESSAGE_LIMIT_CHARS, InvalidArguments
from smallhold.tools.results import NO_RESULT_TEXT, RESULT_LIMIT_CHARS
from smallhold.tools.run_context import AnyContext, ContextParameter, RunContext, check_context
from smallhold.tools.toolset import ToolSet, UnknownTool

__all__ = [
    "MESSAGE_LIMIT_CHARS",
    "NO_RESULT_TEXT",
    "RESULT_LIMIT_CHARS",
    "TOOL_TIMEOUT_S",
    "AnyContext",
    "AnyTool",
    "ApprovalRule",
    "ContextParameter",
    "InvalidArguments",
    "OutcomeKind",
    "RunContext",
    "Tool",
    "ToolOptions",
    "ToolOutcome",
    "ToolSet",
    "UnknownTool",
    "as_tool",
    "check_context",
    "load_object",
    "load_tools",
    "run_tool",
    "tool",
    "tool_from_function",
]
