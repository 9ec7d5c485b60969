"""Tools named on the command line: this file holds the loader of `package.module:object`."""

from __future__ import annotations

import importlib
import sys
from functools import reduce
from pathlib import Path
from typing import cast

from smallhold.exceptions import ConfigError
from smallhold.tools.definition import AnyTool, Tool, as_tool

_FIELD = "tools"


def load_object(spec: str, *, directory: Path | None = None) -> object:
    """Import what `package.module:object` names.

    Args:
        spec: A module's dotted name, a colon, and the dotted name of an object in it.
        directory: Searched for the module first, and put on `sys.path` for what the module
            itself imports, at once or later; by default the current directory.

    Raises:
        ConfigError: The text is malformed, the module cannot be imported, or it has no such
            object.
    """
    module_name, _, object_name = spec.partition(":")
    if not _is_dotted_name(module_name) or not _is_dotted_name(object_name):
        raise ConfigError(field=_FIELD, value=spec, remedy="write it as `package.module:object`")
    entry = str(directory if directory is not None else Path.cwd())
    if entry not in sys.path:
        sys.path.insert(0, entry)
        importlib.invalidate_caches()
    module = _import(module_name, spec=spec)
    try:
        return reduce(getattr, object_name.split("."), module)
    except AttributeError as error:
        raise ConfigError(
            field=_FIELD,
            value=spec,
            remedy=f"the module {module_name!r} ({_origin(module)}) has no {object_name!r}",
        ) from error


def load_tools(spec: str, *, directory: Path | None = None) -> tuple[AnyTool, ...]:
    """Load tools by the name of a tool, a function, or a list or tuple of these.

    Args:
        spec: As for `load_object`.
        directory: As for `load_object`.

    Raises:
        ConfigError: The object does not exist or is something else.
        ToolDefinitionError: A function cannot become a tool.
    """
    found = load_object(spec, directory=directory)
    candidates = cast("list[object]", found) if isinstance(found, list | tuple) else [found]
    return tuple(_as_tool(candidate, spec=spec) for candidate in candidates)


def _as_tool(candidate: object, *, spec: str) -> AnyTool:
    if isinstance(candidate, Tool):
        return cast("AnyTool", candidate)
    if callable(candidate):
        return as_tool(candidate)
    raise ConfigError(
        field=_FIELD,
        value=spec,
        remedy=f"it holds a {type(candidate).__name__}; name a tool, a function or a list of them",
    )


def _import(module_name: str, *, spec: str) -> object:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
            remedy = f"there is no module {error.name!r}; run from the folder that holds it"
        else:
            remedy = f"importing {module_name!r} failed: {error}"
        raise ConfigError(field=_FIELD, value=spec, remedy=remedy) from error
    # The module is the user's own code, so its import can raise anything.
    except Exception as error:
        remedy = f"importing {module_name!r} failed: {type(error).__name__}: {error}"
        raise ConfigError(field=_FIELD, value=spec, remedy=remedy) from error


def _origin(module: object) -> str:
    return str(getattr(module, "__file__", None) or "built in")


def _is_dotted_name(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))
