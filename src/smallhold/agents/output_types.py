"""Answers of a type instead of prose: this file holds `OutputType`, made from a Python type."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, cast, get_args, overload

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError
from pydantic_core import SchemaError

from smallhold.exceptions import ConfigError, UnsupportedSchemaError
from smallhold.messages import JsonObject, JsonValue
from smallhold.tools.contradictions import contradictions
from smallhold.tools.json_limits import json_problem
from smallhold.tools.json_schema import SchemaWriter, compact_schema
from smallhold.tools.mending import mended
from smallhold.tools.problems import MESSAGE_LIMIT_CHARS, describe_problems, shorten

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_FIELD: Final = "output_type"
_TYPE_ERRORS: Final = (
    PydanticUserError,
    PydanticUndefinedAnnotation,
    SchemaError,
    TypeError,
    ValueError,
)
"""What pydantic raises for a type that it cannot validate or describe."""
_NO_NAN: Final = ConfigDict(allow_inf_nan=False)
_FENCE: Final = "```"
_BRACKET: Final = re.compile(r"[\[{]")
_ROOT: Final = "(the answer)"
"""Stands for the type among its own definitions; no class can bear this name."""
_NAME_LIMIT_CHARS: Final = 80
_MOST_OPENINGS: Final = 50
"""Brackets in a text that are tried as the beginning of JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputProblem:
    """Why an answer is not of the type that was asked for: an expected slip, so a value."""

    message: str
    """One line for the model, at most `MESSAGE_LIMIT_CHARS` characters."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutputType(Generic[T_co]):
    """The type of an agent's answer: what a model decodes under, and the way back to Python."""

    name: str
    """For errors and prompts, such as `Ticket` or `list[str]`."""
    schema: JsonObject
    """JSON Schema without references, objects closed; the root may be of any type."""
    adapter: TypeAdapter[T_co]

    def parse(self, text: str) -> T_co | OutputProblem:
        """Read an answer.

        Under a grammar the text is the JSON itself. A model without one may have put it in a code
        fence or between sentences, which is taken if there is no second JSON value; and where a
        string is allowed, such as a member of an enumeration, the bare text will do. Slips that
        leave no doubt are mended as in a tool's arguments.

        Args:
            text: The whole answer of a model.
        """
        values = _written_values(text, self.schema)
        if len(values) == 1:
            return self._validated(values[0])
        if values:
            found = f"{len(values)} JSON values"
        else:
            found = "JSON that cannot be read" if _has_bracket(text) else "no JSON"
        return _problem(f"the answer holds {found}; write one JSON value and nothing else")

    def _validated(self, value: JsonValue) -> T_co | OutputProblem:
        value = mended(value, self.schema)
        problem = json_problem(value)
        if problem is not None:
            return _problem(f"the answer {problem}")
        try:
            return self.adapter.validate_json(json.dumps(value), strict=True, extra="forbid")
        except ValidationError as error:
            errors = error.errors(include_url=False)
        # A validator is code of the type's author, so anything can be raised.
        except Exception as error:  # noqa: BLE001 - told to the model, which can only write anew
            return _problem(f"the answer was refused: {type(error).__name__}: {error}")
        return _problem(describe_problems(errors, written=value, schema=self.schema, noun="field"))


@overload
def output_type(annotation: type[T]) -> OutputType[T]: ...
@overload
def output_type(annotation: object) -> OutputType[object]: ...
def output_type(annotation: object) -> OutputType[object]:
    """Make an output type of a Python type.

    Args:
        annotation: A pydantic model, dataclass, `TypedDict`, enumeration, `Literal`, `bool`, `int`,
            `float`, `str`, date, or lists, dicts and unions of these.

    Raises:
        ConfigError: A model cannot write values of this type: it cannot be expressed in JSON, it
            contains itself, or it contradicts itself. The error names the place.
    """
    name = _name(annotation)
    try:
        adapter = _adapter(cast("type[object]", annotation))
        written = adapter.json_schema(schema_generator=SchemaWriter)
    except _TYPE_ERRORS as error:
        reason = str(error).split("\n", maxsplit=1)[0].rstrip(".")
        raise _unusable(
            name,
            f"it cannot be shown to a model ({reason}); use a pydantic model, a dataclass, an "
            "Enum, Literal, str, int, float, bool, a date, or lists and dicts of these",
        ) from error
    schema = _compact(written, name=name)
    contradiction = next(contradictions(schema), None)
    if contradiction is not None:
        raise _unusable(
            name, f"no value can satisfy it ({contradiction}); correct its bounds or choices"
        )
    return OutputType(name=name, schema=schema, adapter=adapter)


def _adapter(annotation: type[object]) -> TypeAdapter[object]:
    try:
        return TypeAdapter[object](annotation, config=_NO_NAN)
    except PydanticUserError as error:
        if error.code != "type-adapter-config-unused":
            raise
    # A model, dataclass or `TypedDict` has a configuration of its own.
    return TypeAdapter[object](annotation)


def _compact(written: JsonObject, *, name: str) -> JsonObject:
    definitions = cast("JsonObject", written.get("$defs", {}))
    # By reference, so that a class's own docstring is shortened as those of its fields are.
    root: JsonObject = {"$ref": f"#/$defs/{_ROOT}"}
    try:
        if "$ref" in written:
            return compact_schema(written, definitions=definitions)
        return compact_schema(root, definitions=definitions | {_ROOT: written})
    except UnsupportedSchemaError as error:
        raise _unusable(
            name, f"{error.subject} cannot be written under a grammar: {error.detail}"
        ) from error


def _written_values(text: str, schema: JsonObject) -> list[JsonValue]:
    """Find what an answer says: JSON, or a bare text where a string is allowed."""
    whole = _parsed(_unfenced(text))
    if whole is not None and (isinstance(whole[0], str) or schema.get("type") != "string"):
        return [whole[0]]
    if _takes_text(schema):
        return [text.strip()]
    return list(_values_inside(text))


def _values_inside(text: str) -> Iterator[JsonValue]:
    """Find the lists and objects that stand between sentences."""
    position = 0
    for _ in range(_MOST_OPENINGS):
        opening = _BRACKET.search(text, position)
        if opening is None:
            return
        found = _parsed(text[opening.start() :], may_go_on=True)
        position = opening.start() + (1 if found is None else found[1])
        if found is not None:
            yield found[0]


def _has_bracket(text: str) -> bool:
    return _BRACKET.search(text) is not None


def _parsed(text: str, *, may_go_on: bool = False) -> tuple[JsonValue, int] | None:
    """Read JSON at the beginning of a text; give it with its length in characters."""
    try:
        value, length = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return (value, length) if may_go_on or length == len(text) else None


def _unfenced(text: str) -> str:
    plain = text.strip()
    if not (plain.startswith(_FENCE) and plain.endswith(_FENCE)):
        return plain
    _, _, body = plain.removesuffix(_FENCE).partition("\n")
    return body.strip()


def _takes_text(schema: JsonObject) -> bool:
    """Whether a bare text may be meant: a string, or a member of an enumeration."""
    branches = schema.get("anyOf")
    if isinstance(branches, list):
        return any(_takes_text(branch) for branch in branches if isinstance(branch, dict))
    return schema.get("type") not in {"array", "object", "null"}


def _problem(message: str) -> OutputProblem:
    return OutputProblem(message=shorten(message, limit_chars=MESSAGE_LIMIT_CHARS))


def _unusable(name: str, remedy: str) -> ConfigError:
    return ConfigError(field=_FIELD, value=name, remedy=remedy)


def _name(annotation: Any) -> str:
    is_plain = isinstance(annotation, type) and not get_args(annotation)
    name = annotation.__name__ if is_plain else str(annotation).replace("typing.", "")
    return shorten(name, limit_chars=_NAME_LIMIT_CHARS)
