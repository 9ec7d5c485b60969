"""A function that a model can call: this file holds `Tool`, made from a Python function."""

from __future__ import annotations

import inspect
import logging
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import (
    Generic,
    ParamSpec,
    TypeAlias,
    TypedDict,
    TypeVar,
    Unpack,
    cast,
    overload,
)

from smallhold.exceptions import ToolDefinitionError
from smallhold.messages import JsonObject, ToolSchema
from smallhold.tools.arguments import ArgumentValidator, argument_validator
from smallhold.tools.docstrings import read_docstring
from smallhold.tools.problems import InvalidArguments
from smallhold.tools.run_context import ContextParameter, split_context
from smallhold.tools.signatures import AnyFunction, read_parameters

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)
R = TypeVar("R")

TOOL_TIMEOUT_S = 30.0
"""How long a tool may run unless it says otherwise. Chosen well above a slow database query and
well below the patience of somebody who waits for an answer."""

_NAME_LIMIT_CHARS = 64
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9-]+")
_NAME = re.compile(rf"[a-zA-Z_][a-zA-Z0-9_-]{{0,{_NAME_LIMIT_CHARS - 1}}}")
"""Names that all runtimes take. Source: the OpenAI API reference, `function.name` (64 characters
of letters, digits, underscores and dashes)."""


ApprovalRule: TypeAlias = Callable[[Mapping[str, object]], bool]
"""Whether a call with these arguments needs a person's approval. Arguments that the model left out
are missing; a rule that raises counts as a yes."""

_log = logging.getLogger(__name__)


class ToolOptions(TypedDict, total=False):
    """What `@tool`, `tool_from_function` and `Agent.tool` take by name."""

    name: str | None
    """What the model calls the tool; by default the function's name."""
    description: str | None
    """What the model reads about it, best one sentence; by default the docstring's first
    paragraph."""
    timeout_s: float
    """How long a run may take, in seconds; by default `TOOL_TIMEOUT_S`."""
    max_calls_per_run: int | None
    """How often the tool may be called to answer one message; by default there is no limit."""
    composed: Sequence[str]
    """Parameters whose values the model may compose, such as the body of a message. All others
    must come from the conversation."""
    examples: Sequence[str]
    """Messages of users that ask for this tool; they help to find it among many."""
    idempotent: bool
    """Running the tool twice with the same arguments and `RunContext.call_id` does no more than
    once. Only such a tool is run again when its process ended in the middle."""
    requires_approval: bool | ApprovalRule
    """Whether a person must approve each call before it runs, or a function of the arguments that
    says so. Needs an agent with `state=`."""
    approval_timeout_s: float | None
    """How long a person may take, in seconds; after it a call counts as denied. By default there
    is no limit."""


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
    max_calls_per_run: int | None = None
    """How often it may be called to answer one message; `None` for no limit of its own."""
    examples: tuple[str, ...] = ()
    """Messages of users that ask for this tool."""
    context: ContextParameter | None = None
    """The parameter that takes the `RunContext`, which no model sees; `None` without one."""
    idempotent: bool = False
    """Whether a call that was interrupted may be run again."""
    requires_approval: bool | ApprovalRule = False
    """Whether a person must approve calls, or which ones."""
    approval_timeout_s: float | None = None
    """How long a person may take; `None` for no limit."""

    def __post_init__(self) -> None:
        """Check what runtimes rely on.

        Raises:
            ToolDefinitionError: The name, the description, the schema or a setting is not usable.
        """
        schema = self.schema
        for problem in (_schema_problem(schema), _settings_problem(self)):
            if problem is not None:
                what, remedy = problem
                raise ToolDefinitionError(
                    tool=schema.name, parameter=None, problem=what, remedy=remedy
                )
        for parameter in schema.composed:
            if parameter not in properties_of(schema):
                known = ", ".join(properties_of(schema)) or "none"
                raise ToolDefinitionError(
                    tool=schema.name,
                    parameter=parameter,
                    problem="`composed` names it, but a model fills no such parameter",
                    remedy=f"Name one of these: {known}.",
                )

    @property
    def name(self) -> str:
        """The name by which a model calls the tool."""
        return self.schema.name

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Call the function itself."""
        return self.function(*args, **kwargs)

    @property
    def may_require_approval(self) -> bool:
        """Whether there may be calls that a person must approve."""
        return self.requires_approval is not False

    def needs_approval(self, values: Mapping[str, object]) -> bool:
        """Tell whether a person must approve a call. A rule that fails says yes.

        Args:
            values: The function's keyword arguments, as `validate` gives them.
        """
        if isinstance(self.requires_approval, bool):
            return self.requires_approval
        try:
            return self.requires_approval(values) is not False
        except Exception as error:  # noqa: BLE001 - the rule is foreign code, and fails closed
            _log.warning(
                "tool.approval_rule_failed",
                extra={"tool": self.name, "error_type": type(error).__name__},
            )
            return True

    def validate(self, arguments: JsonObject) -> dict[str, object] | InvalidArguments:
        """Turn a model's arguments into the function's keyword arguments.

        Arguments that were left out stay out, so that the function's own defaults apply.
        """
        return self.arguments.validate(arguments)


AnyTool: TypeAlias = Tool[..., object]


def tool_from_function(function: Callable[P, R], **options: Unpack[ToolOptions]) -> Tool[P, R]:
    """Make a tool from a function, its type hints and its Google docstring.

    A first parameter annotated `RunContext` is left out of what a model is shown.

    Args:
        function: A function, a coroutine function or a bound method.
        **options: Settings by name; see `ToolOptions`.

    Raises:
        ToolDefinitionError: The function cannot be described to a model, or a setting is not
            usable; the error names the parameter and what to change.
        TypeError: There is no setting of such a name.
    """
    _refuse_unknown(options)
    name = options.get("name")
    tool_name = str(getattr(function, "__name__", function)) if name is None else name
    _refuse_no_function(function, tool=tool_name)
    docstring = read_docstring(function.__doc__, tool=tool_name)
    context, parameters = split_context(
        read_parameters(function, tool=tool_name, descriptions=docstring.parameters),
        tool=tool_name,
    )
    arguments = argument_validator(parameters, tool=tool_name)
    description = options.get("description")
    schema = ToolSchema(
        name=tool_name,
        description=docstring.summary if description is None else description,
        parameters=arguments.schema,
        composed=_texts(options.get("composed", ()), setting="composed", tool=tool_name),
    )
    return Tool(
        schema=schema,
        function=function,
        arguments=arguments,
        timeout_s=options.get("timeout_s", TOOL_TIMEOUT_S),
        max_calls_per_run=options.get("max_calls_per_run"),
        examples=_texts(options.get("examples", ()), setting="examples", tool=tool_name),
        context=context,
        idempotent=options.get("idempotent", False),
        requires_approval=options.get("requires_approval", False),
        approval_timeout_s=options.get("approval_timeout_s"),
    )


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
def tool(**options: Unpack[ToolOptions]) -> Callable[[Callable[P, R]], Tool[P, R]]: ...
def tool(
    function: Callable[P, R] | None = None, /, **options: Unpack[ToolOptions]
) -> Tool[P, R] | Callable[[Callable[P, R]], Tool[P, R]]:
    """Make a tool of the function below, as `@tool` or `@tool(timeout_s=5)`.

    The name stays callable as the plain function. Settings are those of `ToolOptions`.

    Raises:
        ToolDefinitionError: The function cannot be described to a model.
        TypeError: There is no setting of such a name.
    """
    _refuse_unknown(options)

    def decorate(function: Callable[P, R]) -> Tool[P, R]:
        return tool_from_function(function, **options)

    return decorate if function is None else decorate(function)


def usable_name(name: str) -> str:
    """Write a name from outside, such as `weather.get current`, so that all runtimes take it.

    Accents are dropped, and whatever else is no letter, digit or dash becomes `_`. Two names may
    become the same one.
    """
    decomposed = unicodedata.normalize("NFKD", name)
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    words = _NOT_IN_NAMES.sub("_", plain).strip("_-")[:_NAME_LIMIT_CHARS]
    return words if words[:1].isalpha() else f"tool_{words}"[:_NAME_LIMIT_CHARS].rstrip("_")


def properties_of(schema: ToolSchema) -> JsonObject:
    """The schemas of a tool's parameters by name."""
    properties = schema.parameters.get("properties")
    return properties if isinstance(properties, dict) else {}


def _schema_problem(schema: ToolSchema) -> tuple[str, str] | None:
    """Say what is wrong and what to change, or `None`."""
    if not _NAME.fullmatch(schema.name):
        return (
            "a name is 1 to 64 letters, digits, `_` or `-`, and starts with a letter or `_`",
            f"Pass another one as `name=`, such as {usable_name(schema.name)!r}.",
        )
    if not schema.description.strip():
        return (
            "it has no description, so a model cannot know when to use it",
            "Give the function a docstring of one sentence, or pass `description=`.",
        )
    if schema.parameters.get("type") != "object":
        return ("the root of its schema is not an object", 'Wrap it in `{"type": "object"}`.')
    return None


def _settings_problem(tool: AnyTool) -> tuple[str, str] | None:
    if not tool.timeout_s > 0:
        return (f"`timeout_s` is {tool.timeout_s:g}", "Pass a number of seconds above 0.")
    limit = tool.max_calls_per_run
    if limit is not None and limit < 1:
        return (
            f"`max_calls_per_run` is {limit}, so it could never be called",
            "Pass 1 or more, or `None` for no limit.",
        )
    if not isinstance(tool.requires_approval, bool) and not callable(tool.requires_approval):
        return (
            "`requires_approval` is neither true, false nor a function",
            "Pass `True`, or a function of the arguments that says whether they need approval.",
        )
    waits_s = tool.approval_timeout_s
    if waits_s is not None and not waits_s > 0:
        return (f"`approval_timeout_s` is {waits_s:g}", "Pass a number of seconds above 0.")
    if not all(example.strip() for example in tool.examples):
        return ("one of its `examples` is empty", "Write what a user would say, or leave it out.")
    return None


def _texts(value: object, *, setting: str, tool: str) -> tuple[str, ...]:
    """Take a sequence of texts; a single text, or something else in it, is a slip."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        texts = tuple(cast("Sequence[object]", value))
        if all(isinstance(text, str) for text in texts):
            return cast("tuple[str, ...]", texts)
    raise ToolDefinitionError(
        tool=tool,
        parameter=None,
        problem=f"`{setting}` is not a sequence of texts",
        remedy=f'Write it as `{setting}=("...",)`, with the comma also for a single one.',
    )


def _refuse_unknown(options: ToolOptions) -> None:
    for name in options:
        if name not in ToolOptions.__annotations__:
            known = ", ".join(ToolOptions.__annotations__)
            msg = f"a tool has no setting {name!r}; it has {known}"
            raise TypeError(msg)


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
