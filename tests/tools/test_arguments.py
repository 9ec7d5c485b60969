"""Behaviour of the argument validator."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from smallhold.exceptions import ToolDefinitionError
from smallhold.messages import JsonObject, JsonValue
from smallhold.tools.arguments import ArgumentValidator, argument_validator
from smallhold.tools.problems import InvalidArguments
from smallhold.tools.signatures import REQUIRED, ToolParameter


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Size(StrEnum):
    S = "s"
    L = "l"


@dataclass(frozen=True)
class Box:
    """A box."""

    width: int
    title: str | None = None
    colors: list[Color] = field(default_factory=list[Color])


class Customer(BaseModel):
    """Somebody who buys."""

    name: Annotated[str, Field(min_length=1, description="Full name.")]
    since: date | None = None


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")

    name: str


class Node(BaseModel):
    children: list[Node] = Field(default_factory=list["Node"])


def validator(**annotations: Any) -> ArgumentValidator:
    return argument_validator(
        [ToolParameter(name=name, annotation=hint) for name, hint in annotations.items()], tool="t"
    )


def with_default(annotation: object, default: object) -> ArgumentValidator:
    parameter = ToolParameter(name="arg", annotation=annotation, default=default)
    return argument_validator([parameter], tool="t")


def shown(annotation: object) -> JsonValue:
    properties = validator(arg=annotation).schema["properties"]
    assert isinstance(properties, dict)
    return properties["arg"]


def shown_with_default(annotation: object, default: object) -> JsonValue:
    properties = with_default(annotation, default).schema["properties"]
    assert isinstance(properties, dict)
    return properties["arg"]


def value(annotation: object, written: JsonValue) -> object:
    values = validator(arg=annotation).validate({"arg": written})
    assert not isinstance(values, InvalidArguments), values.message
    return values["arg"]


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (str, {"type": "string"}),
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal["a"], {"type": "string", "const": "a"}),
        (Color, {"type": "string", "enum": ["red", "blue"]}),
        (Level, {"type": "integer", "enum": [1, 2]}),
        (date, {"type": "string", "format": "date"}),
        (datetime, {"type": "string", "format": "date-time"}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (set[int], {"type": "array", "items": {"type": "integer"}}),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (Annotated[int, Field(ge=1, le=9)], {"type": "integer", "minimum": 1, "maximum": 9}),
        (Annotated[str, Field(pattern="^a")], {"type": "string", "pattern": "^a"}),
    ],
)
def test_a_type_is_shown_as_a_compact_schema(annotation: object, expected: JsonObject) -> None:
    assert shown(annotation) == expected


def test_a_dataclass_is_shown_as_a_closed_object() -> None:
    assert shown(Box) == {
        "type": "object",
        "description": "A box.",
        "properties": {
            "width": {"type": "integer"},
            "title": {"type": "string"},
            "colors": {"type": "array", "items": {"type": "string", "enum": ["red", "blue"]}},
        },
        "required": ["width"],
        "additionalProperties": False,
    }


def test_a_pydantic_model_keeps_the_descriptions_of_its_fields() -> None:
    assert shown(Customer) == {
        "type": "object",
        "description": "Somebody who buys.",
        "properties": {
            "name": {"type": "string", "description": "Full name.", "minLength": 1},
            "since": {"type": "string", "format": "date"},
        },
        "required": ["name"],
        "additionalProperties": False,
    }


def test_the_schema_keeps_the_order_of_the_signature_and_names_what_is_required() -> None:
    parameters = [
        ToolParameter(name="b", annotation=int, default=3),
        ToolParameter(name="a", annotation=str, description="The first."),
        ToolParameter(name="c", annotation=float | None, default=None),
    ]
    schema = argument_validator(parameters, tool="t").schema
    assert json.dumps(schema) == json.dumps({
        "type": "object",
        "properties": {
            "b": {"type": "integer", "default": 3},
            "a": {"type": "string", "description": "The first."},
            "c": {"type": "number"},
        },
        "required": ["a"],
        "additionalProperties": False,
    })  # fmt: skip


def test_a_tool_without_parameters_takes_an_empty_object() -> None:
    nothing = argument_validator([], tool="t")
    assert nothing.schema == {"type": "object", "properties": {}, "additionalProperties": False}
    assert nothing.validate({}) == {}


def test_a_description_in_the_hint_wins_over_the_docstring() -> None:
    hint = Annotated[int, Field(description="From the hint.")]
    parameter = ToolParameter(name="arg", annotation=hint, description="From the docstring.")
    schema = argument_validator([parameter], tool="t").schema
    assert schema["properties"] == {"arg": {"type": "integer", "description": "From the hint."}}


@pytest.mark.parametrize(
    ("annotation", "default", "expected"),
    [
        (Color, Color.BLUE, "blue"),
        (date, date(2030, 1, 31), "2030-01-31"),
        (Box, Box(width=2), {"width": 2, "title": None, "colors": []}),
        (list[int], [1], [1]),
    ],
)
def test_a_default_is_shown_as_json(
    annotation: object, default: object, expected: JsonValue
) -> None:
    property_ = shown_with_default(annotation, default)
    assert isinstance(property_, dict)
    assert property_["default"] == expected


def test_a_default_that_is_no_json_is_not_shown_and_makes_the_parameter_optional() -> None:
    optional = with_default(int, object())
    assert optional.schema["properties"] == {"arg": {"type": "integer"}}
    assert "required" not in optional.schema


@pytest.mark.parametrize(
    ("annotation", "written", "expected"),
    [
        (Color, "red", Color.RED),
        (Level, 2, Level.HIGH),
        (Box, {"width": 1, "colors": ["blue"]}, Box(width=1, colors=[Color.BLUE])),
        (Customer, {"name": "Ada"}, Customer(name="Ada")),
        (date, "2030-01-31", date(2030, 1, 31)),
        (timedelta, "PT1H30M", timedelta(minutes=90)),
        (time, "14:30:00", time(14, 30)),
        (set[int], [1, 1], {1}),
        (tuple[int, str], [1, "a"], (1, "a")),
        (dict[Color, int], {"red": 1}, {Color.RED: 1}),
        (UUID, "12345678123456781234567812345678", UUID(int=0x12345678123456781234567812345678)),
        (Decimal, "1.10", Decimal("1.10")),
    ],
)
def test_json_becomes_the_values_that_the_function_expects(
    annotation: object, written: JsonValue, expected: object
) -> None:
    assert value(annotation, written) == expected
    assert type(value(annotation, written)) is type(expected)


def test_slips_that_leave_no_doubt_are_mended() -> None:
    assert value(str, 1042) == "1042"
    assert value(int, "3") == 3
    assert value(bool, "true") is True


@pytest.mark.parametrize(
    ("annotation", "written", "expected"),
    [
        (date, "3 May 2024", date(2024, 5, 3)),
        (date, 20240503, date(2024, 5, 3)),
        (Color, "Red", Color.RED),
        (Level, "2", Level.HIGH),
        (list[Color], "red", [Color.RED]),
        (list[int] | None, "7", [7]),
        (Box, {"width": "3", "colors": "blue"}, Box(width=3, colors=[Color.BLUE])),
        (float, "2.5", 2.5),
        (int, 3.0, 3),
    ],
)
def test_slips_are_mended_at_every_depth(
    annotation: object, written: JsonValue, expected: object
) -> None:
    assert value(annotation, written) == expected


@pytest.mark.parametrize(
    ("annotation", "written", "problem"),
    [
        (int, True, "must be a whole number, got true"),
        (int, "1,000", 'must be a whole number, got "1,000"'),
        (date, "03/05/2024", 'must be a date such as 2030-01-31, got "03/05/2024"'),
        (date, 1714694400, "must be a date such as 2030-01-31, got 1714694400"),
        (timedelta, 3600, "must be a duration such as PT1H30M, got 3600"),
        (datetime, "2024-05-03", "must be a date with time such as 2030-01-31T14:30:00Z"),
        (list[str], "milk, eggs", 'must be a list, got "milk, eggs"'),
        (str, None, "must be a string, got null"),
        (str, "half \ud800", "holds half of a character"),
        (str, "x" * 300_000, "is too long (300,0"),
    ],
)
def test_what_could_be_meant_otherwise_is_refused_by_name(
    annotation: object, written: JsonValue, problem: str
) -> None:
    refused = validator(arg=annotation).validate({"arg": written})
    assert isinstance(refused, InvalidArguments)
    assert refused.message.startswith(f"argument `arg`: {problem}")


def test_a_number_of_thousands_of_digits_is_refused() -> None:
    refused = validator(arg=Any).validate({"arg": 10**5000})
    assert isinstance(refused, InvalidArguments)
    assert refused.message == "argument `arg`: holds a number that is too long"


def test_an_argument_that_is_nested_without_end_is_refused() -> None:
    deep: JsonValue = []
    for _ in range(5_000):
        deep = [deep]
    refused = validator(arg=Any).validate({"arg": deep})
    assert isinstance(refused, InvalidArguments)
    assert refused.message == "argument `arg`: is nested more than 64 deep"


def test_thousands_of_wrong_items_are_answered_briefly() -> None:
    refused = validator(arg=list[int]).validate({"arg": [*"x" * 30_000]})
    assert isinstance(refused, InvalidArguments)
    assert "and " in refused.message
    assert len(refused.message) < 600


@pytest.mark.parametrize(
    "annotation",
    [Annotated[int, Field(ge=5, le=3)], list[Annotated[str, Field(min_length=3, max_length=1)]]],
)
def test_a_type_that_contradicts_itself_is_refused_by_the_parameters_name(
    annotation: object,
) -> None:
    with pytest.raises(ToolDefinitionError, match="no value can satisfy") as caught:
        validator(fine=int, odd=annotation)
    assert caught.value.parameter == "odd"


def test_what_was_left_out_stays_out_so_that_the_function_applies_its_default() -> None:
    assert with_default(int, 3).validate({}) == {}


def test_null_for_an_optional_parameter_that_takes_no_null_counts_as_left_out() -> None:
    assert with_default(int, 3).validate({"arg": None}) == {}


def test_null_is_handed_over_where_the_parameter_takes_it() -> None:
    assert with_default(int | None, 3).validate({"arg": None}) == {"arg": None}


def test_null_for_a_required_parameter_is_refused() -> None:
    assert isinstance(validator(arg=int).validate({"arg": None}), InvalidArguments)


@pytest.mark.parametrize("annotation", [Box, Customer, Open, list[Box], Box | Color])
def test_an_invented_field_inside_an_argument_is_refused(annotation: object) -> None:
    item: JsonObject = {"width": 1, "invented": 1}
    written: JsonValue = [item] if annotation == list[Box] else item
    refused = validator(arg=annotation).validate({"arg": written})
    assert isinstance(refused, InvalidArguments)
    assert "invented`: does not exist" in refused.message


@pytest.mark.parametrize("name", ["schema", "json", "copy", "model_config", "_private", "self"])
def test_parameters_may_bear_names_that_pydantic_models_use(name: str) -> None:
    built = argument_validator([ToolParameter(name=name, annotation=int)], tool="t")
    assert built.validate({name: 1}) == {name: 1}


def test_an_alias_in_the_hint_does_not_rename_the_parameter() -> None:
    hint = Annotated[int, Field(alias="other", default=3)]
    built = validator(arg=hint)
    assert built.schema["required"] == ["arg"]
    assert built.validate({"arg": 1}) == {"arg": 1}


@pytest.mark.parametrize(
    "annotation",
    [
        socket.socket,
        list[socket.socket],
        Callable[[], int],
        type,
        ClassVar[int],
        "Unknown",
        Annotated[str, Field(pattern="(")],
        Annotated[str, Field(ge=1)],
    ],
)
def test_a_type_that_a_model_cannot_fill_is_refused_by_the_parameters_name(
    annotation: object,
) -> None:
    parameters = [
        ToolParameter(name="fine", annotation=int),
        ToolParameter(name="odd", annotation=annotation),
    ]
    with pytest.raises(ToolDefinitionError, match="Use str, int") as caught:
        argument_validator(parameters, tool="connect")
    assert (caught.value.tool, caught.value.parameter) == ("connect", "odd")
    assert "\n" not in str(caught.value)


def test_a_type_that_contains_itself_is_refused() -> None:
    with pytest.raises(ToolDefinitionError, match="Node") as caught:
        validator(root=Node)
    assert caught.value.parameter == "root"


def broken(value: int) -> int:
    return {7: value}[value]


def test_an_error_of_the_authors_own_validator_is_not_hidden() -> None:
    with pytest.raises(KeyError):
        validator(arg=Annotated[int, AfterValidator(broken)]).validate({"arg": 1})


SMALL_INT = Annotated[int, Field(ge=1, le=9)]
ANNOTATIONS: list[Any] = [
    str,
    int,
    float,
    bool,
    Literal["a", 1],
    Color,
    Level,
    Size,
    date,
    datetime,
    time,
    Decimal,
    UUID,
    list[Color],
    dict[str, int],
    tuple[int, str],
    int | None,
    list[str] | int,
    SMALL_INT,
    Box,
]


@given(st.data())
def test_every_value_of_a_type_comes_back_from_its_json(data: st.DataObject) -> None:
    annotation = data.draw(st.sampled_from(ANNOTATIONS))
    drawn = data.draw(_values(annotation))
    written = TypeAdapter[object](annotation).dump_python(drawn, mode="json")
    assert value(annotation, written) == drawn


def _values(annotation: Any) -> st.SearchStrategy[object]:
    if annotation is float:
        return st.floats(allow_nan=False, allow_infinity=False)
    if annotation is Decimal:
        return st.decimals(allow_nan=False, allow_infinity=False)
    if annotation is SMALL_INT:
        return st.integers(1, 9)
    return st.from_type(annotation)


@given(
    st.dictionaries(
        st.sampled_from(["box", "color", "level", "days", "other"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=6,
        ),
    )
)
def test_any_json_is_either_valid_or_answered_with_a_message(
    arguments: dict[str, JsonValue],
) -> None:
    built = argument_validator(
        [
            ToolParameter(name="box", annotation=Box, default=REQUIRED),
            ToolParameter(name="color", annotation=Color, default=Color.RED),
            ToolParameter(name="level", annotation=Level | None, default=None),
            ToolParameter(name="days", annotation=Annotated[int, Field(ge=1)], default=1),
        ],
        tool="t",
    )
    outcome = built.validate(arguments)
    assert isinstance(outcome, InvalidArguments) or set(outcome) <= set(arguments)


@pytest.mark.parametrize("annotation", [*ANNOTATIONS, set[int], dict[Color, int], Customer, Any])
def test_every_schema_can_be_enforced_as_a_grammar(annotation: object) -> None:
    llguidance = pytest.importorskip("llguidance")
    matcher = llguidance.LLMatcher
    grammar = matcher.grammar_from_json_schema(json.dumps(validator(arg=annotation).schema))
    is_error, messages = matcher.validate_grammar_with_warnings(grammar)
    assert (is_error, messages) == (False, [])
