"""Commands of many options: this file holds how one takes them as a single frozen value.

Typer reads a command's options off its parameters. Here they are the fields of a dataclass, each
annotated as a parameter would be, so that what belongs together travels together.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from functools import wraps
from typing import Any, TypeVar, get_type_hints

Options = TypeVar("Options")


def takes_options(
    kind: type[Options],
) -> Callable[[Callable[[Options], None]], Callable[..., None]]:
    """Make a command of a function that takes one value of a dataclass.

    Args:
        kind: The dataclass. Its module must not postpone annotations where they name types that
            only it imports.
    """
    hints = get_type_hints(kind, include_extras=True)
    parameters = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_default(field),
            annotation=hints[field.name],
        )
        for field in fields(kind)  # pyright: ignore[reportArgumentType] - a dataclass, as said
    ]

    def decorate(function: Callable[[Options], None]) -> Callable[..., None]:
        @wraps(function)
        def command(**values: Any) -> None:
            function(kind(**values))

        # What Typer looks at, in place of the function's one parameter.
        command.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportAttributeAccessIssue] - inspect's own hook
        command.__annotations__ = {name: hints[name] for name in hints}
        return command

    return decorate


def _default(field: Field[Any]) -> Any:
    if field.default is not MISSING:
        return field.default
    return inspect.Parameter.empty
