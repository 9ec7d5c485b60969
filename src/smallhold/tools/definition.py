"""A function that a model can call: this file holds `Tool`, made from a Python function."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Generic, ParamSpec, TypeAlias, TypeVar, cast, overload

from smallhold.exceptions import ToolDefinitionError
from smallhold.messages import JsonObject, ToolSchema
from smallhold.tools.arguments import ArgumentValidator, argument_validator
from smallhold.tools.docstrings import read_docstring
from smallhold.tools.problems import InvalidArguments
from smallhold.tools.signatures import AnyFunction, read_parameters

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)
R = TypeVar("R")

TOOL_TIMEOUT_S = 30.0
"""How long a tool may run unless it says otherwise. Chosen well above a slow database query and
well below the patience of somebody who waits for an answer."""

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]{0,63}")
"""Names that all runtimes take. Source: the OpenAI API reference, `function.name` (64 characters
of letters, digits, underscores and dashes)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tool(Generic[P, R_co]):
    """A function, what a model is shown of it and how a model's arguments become its own.

    Calling a tool calls its function with plain Python arguments, unchecked. `run_tool` is the
    way for a model's calls.
    """

    schema: ToolSchema
    function: Callable[P, R_co]
    arguments: ArgumentValidator
    timeout_s: float = TOOL_TIMEOUT_S
    """A run that takes longer is given up."""

    def __post_init__(self) -> None:
        """Check what runtimes rely on.

        Raises:
            ToolDefinitionError: The name, the description, the schema or the time limit is not
                usable.
        """
        if problem := _problem(self.schema, timeout_s=self.timeout_s):
            what, remedy = problem
            raise ToolDefinitionError(
                tool=self.schema.name, parameter=None, problem=what, remedy=remedy
            )

    @property
    def name(self) -> str:
        """The name by which a model calls the tool."""
        return self.schema.name

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Call the function itself."""
        return self.function(*args, **kwargs)

    def validate(self, arguments: JsonObject) -> dict[str, object] | InvalidArguments:
        """Turn a model's arguments into the function's keyword arguments.

        Arguments that were left out stay out, so that the function's own defaults apply.
        """
        return self.arguments.validate(arguments)


AnyTool: TypeAlias = Tool[..., object]


def tool_from_function(
    function: Callable[P, R],
    *,
    name: str | None = None,
    description: str | None = None,
    timeout_s: float = TOOL_TIMEOUT_S,
) -> Tool[P, R]:
    """Make a tool from a function, its type hints and its Google docstring.

    Args:
        function: A function, a coroutine function or a bound method.
        name: What the model calls it; by default the function's name.
        description: What the model reads about it, best one sentence; by default the docstring's
            first paragraph.
        timeout_s: How long a run may take, in seconds.

    Raises:
        ToolDefinitionError: The function cannot be described to a model; the error names the
            parameter and what to change.
    """
    tool_name = name if name is not None else str(getattr(function, "__name__", function))
    _refuse_no_function(function, tool=tool_name)
    docstring = read_docstring(function.__doc__, tool=tool_name)
    parameters = read_parameters(function, tool=tool_name, descriptions=docstring.parameters)
    arguments = argument_validator(parameters, tool=tool_name)
    summary = docstring.summary if description is None else description
    schema = ToolSchema(name=tool_name, description=summary, parameters=arguments.schema)
    return Tool(schema=schema, function=function, arguments=arguments, timeout_s=timeout_s)


def as_tool(candidate: AnyTool | AnyFunction) -> AnyTool:
    """Take a tool as it is, and make one from a function.

    Raises:
        ToolDefinitionError: The function cannot be described to a model.
    """
    if isinstance(candidate, Tool):
        return cast("AnyTool", candidate)
    return tool_from_function(candidate)


@overload
def tool(function: Callable[P, R], /) -> Tool[P, R]: ...
@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    timeout_s: float = TOOL_TIMEOUT_S,
) -> Callable[[Callable[P, R]], Tool[P, R]]: ...
def tool(
    function: Callable[P, R] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    timeout_s: float = TOOL_TIMEOUT_S,
) -> Tool[P, R] | Callable[[Callable[P, R]], Tool[P, R]]:
    """Make a tool of the function below, as `@tool` or `@tool(timeout_s=5)`.

    The name stays callable as the plain function. Settings are those of `tool_from_function`.

    Raises:
        ToolDefinitionError: The function cannot be described to a model.
    """

    def decorate(function: Callable[P, R]) -> Tool[P, R]:
        return tool_from_function(function, name=name, description=description, timeout_s=timeout_s)

    return decorate if function is None else decorate(function)


def _problem(schema: ToolSchema, *, timeout_s: float) -> tuple[str, str] | None:
    """Say what is wrong and what to change, or `None`."""
    if not _NAME.fullmatch(schema.name):
        return (
            "a name is 1 to 64 letters, digits, `_` or `-`, and starts with a letter or `_`",
            "Pass another one as `name=`.",
        )
    if not schema.description.strip():
        return (
            "it has no description, so a model cannot know when to use it",
            "Give the function a docstring of one sentence, or pass `description=`.",
        )
    if schema.parameters.get("type") != "object":
        return ("the root of its schema is not an object", 'Wrap it in `{"type": "object"}`.')
    if not timeout_s > 0:
        return (f"`timeout_s` is {timeout_s:g}", "Pass a number of seconds above 0.")
    return None


def _refuse_no_function(function: AnyFunction, *, tool: str) -> None:
    if not isinstance(inspect.unwrap(function), FunctionType | MethodType):
        problem = f"it is of type {type(function).__name__}, not a function or bound method"
        remedy = "Write a `def` around it, with type hints and a docstring."
    elif inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        problem = "it is a generator, and a model reads one finished result"
        remedy = "Return a list or a string."
    else:
        return
    raise ToolDefinitionError(tool=tool, parameter=None, problem=problem, remedy=remedy)
