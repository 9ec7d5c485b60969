"""What a function accepts: this file holds the reader of signatures and type hints."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from inspect import Parameter as SignatureParameter
from types import FrameType, FunctionType, MethodType
from typing import Any, TypeAlias, get_type_hints

from pydantic.fields import FieldInfo

from smallhold.exceptions import ToolDefinitionError

AnyFunction: TypeAlias = Callable[..., object]

REQUIRED = inspect.Parameter.empty
"""Stands for the default of a parameter that has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolParameter:
    """One parameter that a model fills."""

    name: str
    annotation: Any
    """The resolved type hint, `Annotated` metadata included."""
    default: object = REQUIRED
    description: str = ""

    @property
    def is_required(self) -> bool:
        """Whether a call without this parameter is refused."""
        return self.default is REQUIRED


def read_parameters(
    function: AnyFunction, *, tool: str, descriptions: Mapping[str, str]
) -> tuple[ToolParameter, ...]:
    """Read a function's parameters in the order of its signature.

    Args:
        function: A plain function, a coroutine function or a bound method.
        tool: The tool's name, for errors.
        descriptions: The docstring's descriptions by parameter name.

    Raises:
        ToolDefinitionError: A parameter cannot be offered to a model, an annotation cannot be
            resolved, or a description belongs to no parameter.
    """
    signature = inspect.signature(function)
    for parameter in signature.parameters.values():
        _refuse_unusable(parameter, tool=tool)
    for name in descriptions:
        if name not in signature.parameters:
            raise ToolDefinitionError(
                tool=tool,
                parameter=name,
                problem="the docstring describes it, but the function has no such parameter",
                remedy="Correct the name under `Args:` or delete the entry.",
            )
    hints = resolve_hints(function, tool=tool)
    return tuple(
        ToolParameter(
            name=name,
            annotation=hints[name],
            default=parameter.default,
            description=descriptions.get(name, ""),
        )
        for name, parameter in signature.parameters.items()
    )


def _refuse_unusable(parameter: SignatureParameter, *, tool: str) -> None:
    kind = parameter.kind
    if kind in {SignatureParameter.VAR_POSITIONAL, SignatureParameter.VAR_KEYWORD}:
        problem = "a model can only fill parameters that are named one by one"
        remedy = "Replace it by named parameters or one list."
    elif kind is SignatureParameter.POSITIONAL_ONLY:
        problem = "it is positional-only, and a model passes arguments by name"
        remedy = "Remove the `/` from the signature."
    elif parameter.annotation is REQUIRED and parameter.name in {"self", "cls"}:
        problem = "a method in its class has no object to act on yet"
        remedy = "Make the tool from the bound method, as in `tool_from_function(shop.find)`."
    elif parameter.annotation is REQUIRED:
        problem = "it has no type annotation"
        remedy = f"Annotate it, as in `{parameter.name}: str`."
    elif isinstance(parameter.default, FieldInfo):
        problem = "`Field(...)` as a default value would reach the function itself"
        remedy = "Write `Annotated[type, Field(...)] = default`."
    else:
        return
    raise ToolDefinitionError(tool=tool, parameter=parameter.name, problem=problem, remedy=remedy)


def resolve_hints(function: AnyFunction, *, tool: str) -> dict[str, Any]:
    """Resolve a function's type hints, `Annotated` metadata included.

    Hints that are text (under `from __future__ import annotations`) are looked up in the
    function's module and closure. If that fails and the function was defined inside another one,
    the local names of that module's functions that are still running are tried as well, so that
    a tool can use a class defined beside it.

    Raises:
        ToolDefinitionError: A hint names something that cannot be found, or is no type.
    """
    plain = inspect.unwrap(function)
    if isinstance(plain, MethodType):
        plain = plain.__func__
    closure = _closure_names(plain)
    try:
        return get_type_hints(function, localns=closure, include_extras=True)
    except NameError:
        names = _running_names(plain) | closure
    except Exception as error:
        raise _unresolved(error, tool=tool) from error
    try:
        return get_type_hints(function, localns=names, include_extras=True)
    except Exception as error:
        raise _unresolved(error, tool=tool) from error


def _unresolved(error: Exception, *, tool: str) -> ToolDefinitionError:
    return ToolDefinitionError(
        tool=tool,
        parameter=None,
        problem=f"a type annotation cannot be resolved ({error})",
        remedy="Define or import that type at the top of the module, outside `TYPE_CHECKING`.",
    )


def _closure_names(function: AnyFunction) -> dict[str, object]:
    """Collect the outer names that a function uses; one not yet bound, as its own, is left out."""
    names: dict[str, object] = {}
    if isinstance(function, FunctionType):
        for name, cell in zip(
            function.__code__.co_freevars, function.__closure__ or (), strict=True
        ):
            with suppress(ValueError):
                names[name] = cell.cell_contents
    return names


def _running_names(function: AnyFunction) -> dict[str, object]:
    """Collect the local names around a function's definition; those of inner frames win."""
    names: dict[str, object] = {}
    if "<locals>" in function.__qualname__:
        for frame in _frames():
            if frame.f_globals is getattr(function, "__globals__", None):
                names = {**frame.f_locals, **names}
    return names


def _frames() -> Iterator[FrameType]:
    frame = inspect.currentframe()
    while frame is not None:
        yield frame
        frame = frame.f_back
