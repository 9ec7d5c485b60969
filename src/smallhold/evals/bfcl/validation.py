"""Whether calls keep to the tools' schemas, right or not: this file holds the check of calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from smallhold.exceptions import ConfigError
from smallhold.messages import JsonObject, JsonValue, ToolCall, ToolSchema

SchemaCheck: TypeAlias = Callable[[JsonValue, JsonObject], bool]
"""Is the value (first) valid under the JSON Schema (second)?"""


def calls_are_valid(
    calls: Sequence[ToolCall], *, tools: Sequence[ToolSchema], is_valid: SchemaCheck
) -> bool:
    """Does every call name an offered tool, with arguments that are valid under its schema?

    No call at all is valid.
    """
    offered = {tool.name: tool.parameters for tool in tools}
    return all(
        call.name in offered and is_valid(call.arguments, offered[call.name]) for call in calls
    )


def json_schema_check() -> SchemaCheck:
    """The check by draft 2020-12 of the `evals` extra.

    Raises:
        ConfigError: The extra is not installed.
    """
    try:
        # PLC0415: the adapter needs an extra, so it is imported where it is used.
        from smallhold.evals.json_schema import is_valid_json  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            field="jsonschema", value=None, remedy="run `pip install 'smallhold[evals]'`"
        ) from error
    return is_valid_json
