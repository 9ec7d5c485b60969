"""What a tool knows that its model does not: this file holds `RunContext`.

A tool whose first parameter is annotated `RunContext[Customer]` is given the object that the caller
of the agent passed as `context=`. The parameter is in no schema, so a model neither reads nor
chooses whose data a tool works on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Generic,
    Protocol,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

from smallhold.exceptions import ConfigError, ToolDefinitionError
from smallhold.tools.signatures import ToolParameter

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext(Generic[T_co]):
    """Whose run a tool works for, told by the caller of the agent and never by the model."""

    value: T_co
    """The object that was passed as `context=`; `None` if there was none."""
    session: str | None = None
    """The conversation that the call belongs to; `None` where a message stands alone."""
    call_id: str = ""
    """The call's id: no other call of any run has it, and a call that is run again after its
    process ended has the same. So it is good as an idempotency key."""
    run_id: str = ""
    """The run that the call belongs to."""
    deadline_s: float = math.inf
    """When the call is given up, on the clock of `time.monotonic()`; `run_tool` sets it.
    A synchronous tool is not stopped then, so long work does well to look at it."""


AnyContext: TypeAlias = RunContext[object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextParameter:
    """The parameter by which a function takes its `RunContext`."""

    name: str
    value_type: Any = object
    """What the function expects as `RunContext.value`; `object` where it does not say."""

    def accepts(self, value: object) -> bool:
        """Tell whether a value is of the expected type, as far as that can be checked cheaply.

        Of a generic type only the class is looked at; a protocol takes anything but `None`.
        """
        return any(_is_of(value, expected) for expected in _alternatives(self.value_type))


class TakesContext(Protocol):
    """What `check_context` has to know of a tool."""

    @property
    def name(self) -> str:
        """The tool's name."""
        ...

    @property
    def context(self) -> ContextParameter | None:
        """How the tool takes its context; `None` if it does not."""
        ...


def split_context(
    parameters: Sequence[ToolParameter], *, tool: str
) -> tuple[ContextParameter | None, tuple[ToolParameter, ...]]:
    """Set the context's parameter apart from those that a model fills.

    Args:
        parameters: All parameters of a function, in order.
        tool: The tool's name, for errors.

    Raises:
        ToolDefinitionError: A context is not the first parameter, or is a part of another type.
    """
    first, rest = parameters[:1], tuple(parameters[1:])
    context = _context_parameter(first[0]) if first else None
    filled = rest if context is not None else tuple(parameters)
    for parameter in filled:
        if _mentions_context(parameter.annotation):
            raise ToolDefinitionError(
                tool=tool,
                parameter=parameter.name,
                problem="a `RunContext` is only given to the first parameter, and only by itself",
                remedy="Put it first, annotated `RunContext[...]` without union or container.",
            )
    return context, filled


def check_context(tools: Iterable[TakesContext], value: object) -> None:
    """Refuse a run whose tools could not be given what they need.

    Args:
        tools: The tools that may be called.
        value: What the caller passed as `context=`; `None` if there was nothing.

    Raises:
        ConfigError: A tool needs a context and there is none, or it is of another type.
    """
    for tool in tools:
        if tool.context is None or tool.context.accepts(value):
            continue
        wanted = f"RunContext[{_type_name(tool.context.value_type)}]"
        raise ConfigError(
            field="context",
            # Not the value: it may hold a person's data or a password.
            value=None if value is None else type(value),
            remedy=f"the tool {tool.name!r} takes a {wanted}; pass such an object as `context=`",
        )


def _context_parameter(parameter: ToolParameter) -> ContextParameter | None:
    annotation = _bare(parameter.annotation)
    if annotation is RunContext:
        return ContextParameter(name=parameter.name)
    if get_origin(annotation) is RunContext:
        return ContextParameter(name=parameter.name, value_type=get_args(annotation)[0])
    return None


def _bare(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _mentions_context(annotation: Any) -> bool:
    if annotation is RunContext or get_origin(annotation) is RunContext:
        return True
    return any(_mentions_context(part) for part in get_args(annotation))


def _alternatives(value_type: Any) -> tuple[Any, ...]:
    """List what a union allows, and a type variable or plain type as it is."""
    bare = _bare(value_type)
    if get_origin(bare) in {Union, UnionType}:
        return tuple(one for part in get_args(bare) for one in _alternatives(part))
    return (bare,)


def _is_of(value: object, expected: Any) -> bool:
    if expected in {Any, object}:
        return True
    if expected in {None, NoneType}:
        return value is None
    if value is None:
        return False
    checked = get_origin(expected) or expected
    try:
        return isinstance(value, checked)
    except TypeError:  # a protocol, a type variable, a literal: not checked at run time
        return True


def _type_name(value_type: Any) -> str:
    return value_type.__name__ if isinstance(value_type, type) else str(value_type)
