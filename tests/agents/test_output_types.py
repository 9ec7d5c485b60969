"""Behaviour of answers of a type."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, Field, TypeAdapter
from typing_extensions import TypedDict

from smallhold.agents.argument_schema import bounded_schema
from smallhold.agents.output_types import OutputProblem, output_type
from smallhold.exceptions import ConfigError
from smallhold.messages import JsonObject
from smallhold.tools import MESSAGE_LIMIT_CHARS


class Kind(Enum):
    BILLING = "billing"
    TECHNICAL = "technical support"


class Ticket(BaseModel):
    """A request of a customer.

    Never shown to a model.
    """

    title: str
    kind: Kind
    days: list[int] = Field(default_factory=list[int])
    due: date | None = None
    urgency: Annotated[int, Field(ge=1, le=5)] = 3


@dataclass(frozen=True)
class Point:
    x: int
    tags: list[str] = field(default_factory=list[str])


class Record(TypedDict):
    amount: float


class Node(BaseModel):
    children: list[Node] = Field(default_factory=list["Node"])


class Impossible(BaseModel):
    inner: Annotated[list[Annotated[int, Field(ge=5, le=3)]], Field(max_length=3)]


def refused(annotation: object) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        output_type(annotation)
    assert caught.value.field == "output_type"
    return caught.value


def problem(annotation: object, text: str) -> str:
    found = output_type(annotation).parse(text)
    assert isinstance(found, OutputProblem)
    return found.message


def test_a_model_becomes_a_closed_schema_without_references() -> None:
    assert output_type(list[Ticket]).schema == {
        "type": "array",
        "items": {
            "type": "object",
            "description": "A request of a customer.",
            "properties": {
                "title": {"type": "string"},
                "kind": {"type": "string", "enum": ["billing", "technical support"]},
                "days": {"type": "array", "items": {"type": "integer"}},
                "due": {"type": "string", "format": "date"},
                "urgency": {"type": "integer", "minimum": 1, "maximum": 5, "default": 3},
            },
            "required": ["title", "kind"],
            "additionalProperties": False,
        },
    }


def test_the_docstring_of_the_type_itself_is_shortened_too() -> None:
    assert output_type(Ticket).schema["description"] == "A request of a customer."


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (bool, {"type": "boolean"}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Kind, {"type": "string", "enum": ["billing", "technical support"]}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
    ],
)
def test_a_root_may_be_of_any_type(annotation: object, expected: JsonObject) -> None:
    assert output_type(annotation).schema == expected


def test_an_answer_comes_back_as_an_instance() -> None:
    ticket = output_type(Ticket).parse('{"title": "Printer", "kind": "billing", "due": null}')
    assert ticket == Ticket(title="Printer", kind=Kind.BILLING)
    assert output_type(Point).parse('{"x": 1}') == Point(x=1)
    assert output_type(list[Point]).parse('[{"x": 1, "tags": ["a"]}]') == [Point(x=1, tags=["a"])]
    assert output_type(Record).parse('{"amount": 1}') == {"amount": 1.0}
    assert output_type(int | None).parse("null") is None


@pytest.mark.parametrize(
    "text",
    [
        '{"x": 1}',
        ' {"x": "1"}\n',
        '```json\n{"x": 1}\n```',
        '```\n{"x": 1}\n```',
        'Here it is: {"x": 1}. Anything else?',
        'In a list ([sic]): {"x": 1}',
    ],
)
def test_json_is_found_where_models_put_it(text: str) -> None:
    assert output_type(Point).parse(text) == Point(x=1)


@pytest.mark.parametrize(
    ("annotation", "text", "expected"),
    [
        (Kind, "Technical_Support", Kind.TECHNICAL),
        (Kind, '"billing"', Kind.BILLING),
        (bool, "yes", True),
        (int, " 42 ", 42),
        (str, "the set {1: 2} and [3]", "the set {1: 2} and [3]"),
        (str, '"quoted"', "quoted"),
        (str, "true", "true"),
        (date, "3 May 2024", date(2024, 5, 3)),
    ],
)
def test_a_bare_word_will_do_where_a_word_is_wanted(
    annotation: object, text: str, expected: object
) -> None:
    assert output_type(annotation).parse(text) == expected


@pytest.mark.parametrize(
    ("annotation", "text", "expected"),
    [
        (Ticket, "no idea", "the answer holds no JSON"),
        (Ticket, '{"title": "cut', "the answer holds JSON that cannot be read"),
        (Point, '{"x": 1} {"x": 2}', "the answer holds 2 JSON values"),
        (Point, "[1]", "the answer must be an object, got [1]"),
        (Point, "{}", "field `x`: is required but was left out"),
        (Point, '{"x": null}', "field `x`: must be a whole number, got null"),
        (Point, '{"x": 1, "y": 2}', "field `y`: does not exist (known: x, tags), got 2"),
        (list[Point], '[{"x": "far"}]', 'field `[0].x`: must be a whole number, got "far"'),
        (Ticket, '{"title": "a", "kind": "billing", "urgency": 9}', "field `urgency`: must be"),
        (Kind, "other", "the answer must be 'billing' or 'technical support', got \"other\""),
        (float, "NaN", 'the answer must be a finite number'),
        (list[Any], "[" * 90 + "]" * 90, "the answer is nested more than 64 deep"),
    ],
)  # fmt: skip
def test_an_answer_of_another_type_is_answered_with_the_field_that_is_wrong(
    annotation: object, text: str, expected: str
) -> None:
    assert problem(annotation, text).startswith(expected)


def prime(value: int) -> int:
    return {7: value}[value]


def test_an_error_of_the_authors_own_validator_is_told_to_the_model() -> None:
    assert problem(Annotated[int, AfterValidator(prime)], "4") == (
        "the answer was refused: KeyError: 4"
    )


def test_a_type_that_contains_itself_is_refused_by_name() -> None:
    error = refused(list[Node])
    assert "The type Node" in str(error)
    assert "contains itself" in str(error)


def test_a_type_that_contradicts_itself_is_refused_before_any_decoding() -> None:
    assert "`inner[]`: `minimum` 5 and `maximum` 3" in str(refused(Impossible))


@pytest.mark.parametrize("annotation", [socket.socket, "Unknown"])
def test_what_is_no_type_of_json_is_refused(annotation: object) -> None:
    assert "use a pydantic model" in str(refused(annotation))


def test_a_bound_that_its_type_does_not_have_is_refused() -> None:
    assert "cannot be compared by ge" in str(refused(list[Annotated[str, Field(ge=1)]]))


def test_long_names_of_types_are_shortened() -> None:
    assert output_type(list[Ticket]).name.endswith("Ticket]")
    assert len(output_type(Annotated[str, Field(description="x" * 500)]).name) <= 80


TYPES: list[Any] = [Point, Kind, list[Point], dict[str, int], bool, int, str, date, int | None]


@given(st.data())
def test_every_value_comes_back_from_its_json(data: st.DataObject) -> None:
    annotation = data.draw(st.sampled_from(TYPES))
    value = data.draw(st.from_type(annotation))
    text = TypeAdapter[object](annotation).dump_json(value).decode()
    assert output_type(annotation).parse(text) == value


@given(
    st.text() | st.sampled_from(["{", '{"x": ', "[[", "```", '{"x": 1}']), st.sampled_from(TYPES)
)
def test_any_text_is_a_value_or_one_line(text: str, annotation: object) -> None:
    found = output_type(annotation).parse(text)
    if isinstance(found, OutputProblem):
        assert len(found.message.splitlines()) == 1
        assert len(found.message) <= MESSAGE_LIMIT_CHARS


@pytest.mark.parametrize("annotation", [*TYPES, Ticket, Record, float, tuple[int, str], set[int]])
def test_every_schema_can_be_enforced_as_a_grammar(annotation: object) -> None:
    llguidance = pytest.importorskip("llguidance")
    matcher = llguidance.LLMatcher
    schema = bounded_schema(output_type(annotation).schema)
    is_error, messages = matcher.validate_grammar_with_warnings(
        matcher.grammar_from_json_schema(json.dumps(schema))
    )
    assert (is_error, messages) == (False, [])
