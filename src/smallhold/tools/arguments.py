"""From a model's JSON to Python values: this file holds the validator of one tool's arguments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError
from pydantic_core import ErrorDetails, SchemaError

from smallhold.exceptions import ToolDefinitionError, UnsupportedSchemaError
from smallhold.messages import JsonObject, JsonValue
from smallhold.tools.contradictions import contradictions
from smallhold.tools.json_limits import json_problem
from smallhold.tools.json_schema import SchemaWriter, compact_schema
from smallhold.tools.mending import mended
from smallhold.tools.problems import (
    NAME_LIMIT_CHARS,
    InvalidArguments,
    describe_problems,
    shorten,
)
from smallhold.tools.signatures import ToolParameter

_CONFIG = ConfigDict(
    # `NaN` is no JSON, though Python's parser lets it through.
    allow_inf_nan=False,
)

_TYPE_ERRORS = (PydanticUserError, PydanticUndefinedAnnotation, SchemaError, TypeError, ValueError)
"""What pydantic raises for a type it cannot validate or describe."""

_TYPE_REMEDY = (
    "Use str, int, float, bool, Literal, an Enum, a date, a dataclass or pydantic model, or lists "
    "and dicts of these."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentValidator:
    """Turns a model's arguments into the values that a function takes."""

    parameters: tuple[ToolParameter, ...]
    schema: JsonObject
    """What a model is shown: JSON Schema with root type `object`."""
    model: type[BaseModel]
    """Its fields are `argument_0`, `argument_1`, ...: parameters may bear any name, a model's
    fields may not."""

    def validate(self, arguments: JsonObject) -> dict[str, object] | InvalidArguments:
        """Validate arguments; those that were left out stay out, so the function's defaults apply.

        Slips that leave no doubt are mended first (see `mending`); what is still not of a
        parameter's type is refused. A null for a parameter that has a default and takes no null
        counts as left out.

        Args:
            arguments: The model's arguments as parsed JSON.
        """
        problem = _unwritable(arguments)
        if problem is not None:
            return InvalidArguments(message=problem)
        return self._validated(_mended_object(arguments, self.schema))

    def _validated(self, arguments: JsonObject) -> dict[str, object] | InvalidArguments:
        try:
            return self._values(arguments)
        except ValidationError as error:
            problems = error.errors(include_url=False)
        remaining = self._without_needless_nulls(arguments, problems)
        if len(remaining) < len(arguments):
            return self._validated(remaining)
        return InvalidArguments(
            message=describe_problems(
                problems, written=arguments, schema=self.schema, noun="argument"
            )
        )

    def _values(self, arguments: JsonObject) -> dict[str, object]:
        # Strictly and as JSON: lax validation takes 20240503 for a day in 1970 and true for 1.
        text = json.dumps(arguments, ensure_ascii=False)
        filled = self.model.model_validate_json(text, strict=True, extra="forbid")
        return {
            parameter.name: getattr(filled, field)
            for field, parameter in zip(_fields(self.parameters), self.parameters, strict=True)
            if field in filled.model_fields_set
        }

    def _without_needless_nulls(
        self, arguments: JsonObject, problems: Sequence[ErrorDetails]
    ) -> JsonObject:
        optional = {parameter.name for parameter in self.parameters if not parameter.is_required}
        refused = {str(problem["loc"][0]) for problem in problems if problem["loc"]}
        return {
            name: value
            for name, value in arguments.items()
            if value is not None or name not in optional & refused
        }


def argument_validator(parameters: Sequence[ToolParameter], *, tool: str) -> ArgumentValidator:
    """Build the validator and the schema of a tool's arguments.

    Args:
        parameters: The parameters in the order of the signature, which the schema keeps.
        tool: The tool's name, for errors.

    Raises:
        ToolDefinitionError: A parameter's type cannot be validated or shown to a model.
    """
    try:
        model = _model(parameters)
        written = _written_schema(model, parameters)
    except _TYPE_ERRORS as error:
        raise _unsupported(_culprit(parameters), cause=error, tool=tool) from error
    definitions = cast("JsonObject", written.get("$defs", {}))
    properties = cast("dict[str, JsonObject]", written.get("properties", {}))
    shown: dict[str, JsonValue] = {}
    for parameter in parameters:
        schema = dict(properties[parameter.name])
        if parameter.description:
            schema.setdefault("description", parameter.description)
        try:
            shown[parameter.name] = compact_schema(schema, definitions=definitions)
        except UnsupportedSchemaError as error:
            raise _unsupported(parameter.name, cause=error, tool=tool) from error
    _refuse_contradiction(shown, tool=tool)
    return ArgumentValidator(
        parameters=tuple(parameters), schema=_root(shown, parameters), model=model
    )


def _mended_object(arguments: JsonObject, schema: JsonObject) -> JsonObject:
    value = mended(arguments, schema)
    return value if isinstance(value, dict) else arguments


def _unwritable(arguments: JsonObject) -> str | None:
    """Say what keeps arguments from being written as JSON of a bearable size, or `None`."""
    problem = json_problem(arguments)
    if problem is None:
        return None
    for name, value in arguments.items():
        inner = json_problem({name: value})
        if inner is not None:
            return f"argument `{shorten(name, limit_chars=NAME_LIMIT_CHARS)}`: {inner}"
    return f"the call's JSON {problem}"


def _root(properties: dict[str, JsonValue], parameters: Sequence[ToolParameter]) -> JsonObject:
    root: JsonObject = {"type": "object", "properties": properties}
    required: list[JsonValue] = [
        parameter.name for parameter in parameters if parameter.is_required
    ]
    if required:
        root["required"] = required
    return root | {"additionalProperties": False}


def _fields(parameters: Sequence[ToolParameter]) -> list[str]:
    return [f"argument_{position}" for position in range(len(parameters))]


def _model(parameters: Sequence[ToolParameter]) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for field, parameter in zip(_fields(parameters), parameters, strict=True):
        default = ... if parameter.is_required else parameter.default
        alias = parameter.name
        settings = Field(default, alias=alias, validation_alias=alias, validate_default=False)
        fields[field] = (parameter.annotation, settings)
    return create_model("Arguments", __config__=_CONFIG, **fields)


def _written_schema(model: type[BaseModel], parameters: Sequence[ToolParameter]) -> JsonObject:
    """Let pydantic write the schema; refuse what it passes over in silence."""
    written = model.model_json_schema(schema_generator=SchemaWriter)
    properties = cast("dict[str, JsonObject]", written.get("properties", {}))
    for parameter in parameters:
        if parameter.name not in properties:
            msg = f"{parameter.annotation} is no type of a value"
            raise TypeError(msg)
    return written


def _refuse_contradiction(properties: dict[str, JsonValue], *, tool: str) -> None:
    for name, schema in properties.items():
        if isinstance(schema, dict) and (found := next(contradictions(schema, path=name), None)):
            raise ToolDefinitionError(
                tool=tool,
                parameter=name,
                problem=f"no value can satisfy its type ({found})",
                remedy="Correct its bounds or choices.",
            )


def _culprit(parameters: Sequence[ToolParameter]) -> str | None:
    """Find the first parameter that fails by itself; pydantic's errors do not name it."""
    for parameter in parameters:
        try:
            _written_schema(_model([parameter]), [parameter])
        except _TYPE_ERRORS:
            return parameter.name
    return None


def _unsupported(parameter: str | None, *, cause: Exception, tool: str) -> ToolDefinitionError:
    reason = str(cause).split("\n", maxsplit=1)[0].rstrip(".")
    return ToolDefinitionError(
        tool=tool,
        parameter=parameter,
        problem=f"its type cannot be shown to a model ({reason})",
        remedy=_TYPE_REMEDY,
    )
