"""Behaviour of the wording of invalid arguments, through real reports of pydantic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, Field

from smallhold.messages import JsonObject, JsonValue
from smallhold.tools.arguments import argument_validator
from smallhold.tools.problems import MESSAGE_LIMIT_CHARS, InvalidArguments, shorten
from smallhold.tools.signatures import ToolParameter


@dataclass
class Point:
    x: int
    y: int = 0


def prime(value: int) -> int:
    if value != 7:
        msg = "must be a prime\n(such as 7)"
        raise ValueError(msg)
    return value


def message(arguments: JsonObject, **annotations: Any) -> str:
    parameters = [ToolParameter(name=name, annotation=hint) for name, hint in annotations.items()]
    outcome = argument_validator(parameters, tool="t").validate(arguments)
    assert isinstance(outcome, InvalidArguments)
    return outcome.message


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (Annotated[int, Field(le=10)], 40, "must be <= 10, got 40"),
        (Annotated[int, Field(ge=1)], 0, "must be >= 1, got 0"),
        (Annotated[float, Field(gt=0)], 0.0, "must be > 0.0, got 0.0"),
        (Annotated[int, Field(lt=5)], 5, "must be < 5, got 5"),
        (Annotated[int, Field(multiple_of=5)], 7, "must be a multiple of 5, got 7"),
        (int, "many", 'must be a whole number, got "many"'),
        (int, 1.5, "must be a whole number, got 1.5"),
        (float, float("nan"), "must be a finite number, got NaN"),
        (str, None, "must be a string, got null"),
        (bool, "perhaps", 'must be true or false, got "perhaps"'),
        (Literal["a", "b"], "c", "must be 'a' or 'b', got \"c\""),
        (list[int], {}, "must be a list, got {}"),
        (dict[str, int], 3, "must be an object, got 3"),
        (Point, 3, "must be an object, got 3"),
        (date, "tomorrow", 'must be a date such as 2030-01-31, got "tomorrow"'),
        (time, "late", 'must be a time such as 14:30:00, got "late"'),
        (timedelta, "long", 'must be a duration such as PT1H30M, got "long"'),
        (Annotated[str, Field(pattern="^[a-z]$")], "A", 'must match the pattern ^[a-z]$, got "A"'),
        (Annotated[str, Field(min_length=2)], "A", 'must have at least 2 characters, got "A"'),
        (Annotated[list[str], Field(max_length=0)], ["1"], 'must have at most 0 items, got ["1"]'),
        (Annotated[int, AfterValidator(prime)], 4, "must be a prime (such as 7), got 4"),
        (int | list[str], {}, "must be a whole number or a list, got {}"),
    ],
)  # fmt: skip
def test_a_problem_names_the_argument_what_is_expected_and_what_was_written(
    annotation: object, value: JsonValue, expected: str
) -> None:
    assert message({"arg": value}, arg=annotation) == f"argument `arg`: {expected}"


def test_a_date_with_time_is_asked_for_with_an_example() -> None:
    assert "such as 2030-01-31T14:30:00Z" in message({"at": "soon"}, at=datetime)


def test_a_missing_argument_is_said_to_be_required() -> None:
    assert message({}, city=str) == "argument `city`: is required but was left out"


def test_an_unknown_argument_is_answered_with_the_known_ones() -> None:
    said = message({"city": "Bern", "town": "Bern"}, city=str, days=int | None)
    assert 'argument `town`: does not exist (known: city, days), got "Bern"' in said


def test_places_inside_an_argument_are_written_as_a_path() -> None:
    said = message({"points": [{"x": 1}, {"x": "far"}, {"z": 1}]}, points=list[Point])
    assert "argument `points[1].x`: must be a whole number" in said
    assert "argument `points[2].x`: is required" in said
    assert "argument `points[2].z`: does not exist (known: x, y), got 1" in said


def test_an_invented_field_is_answered_with_those_that_exist_where_it_stands() -> None:
    for hint in (Point, Point | int, list[Point], dict[str, Point], tuple[int, Point]):
        inner: JsonObject = {"x": 1, "z": 2}
        written: dict[object, JsonValue] = {
            list[Point]: [inner],
            dict[str, Point]: {"home": inner},
            tuple[int, Point]: [1, inner],
        }
        said = message({"at": written.get(hint, inner)}, at=hint)
        assert "z`: does not exist (known: x, y), got 2" in said


def test_the_branches_of_a_union_are_not_part_of_the_path() -> None:
    said = message({"where": {"x": "far"}}, where=Point | int)
    assert "argument `where.x`: must be a whole number" in said
    assert "argument `where`: must be a whole number" in said


def test_no_more_than_five_problems_are_listed() -> None:
    said = message({f"p{number}": 1 for number in range(9)})
    assert said.endswith("and 4 more")
    assert said.count("argument `") == 5


def test_long_values_are_shortened() -> None:
    assert len(message({"n": "x" * 10_000}, n=int)) < 150


@given(
    st.dictionaries(
        st.text(max_size=80),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=200),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=10,
        ),
    )
)
def test_every_message_is_one_line_within_the_limit(arguments: dict[str, JsonValue]) -> None:
    arguments = {**arguments, "point": {"x": "far"}}
    said = message(arguments, point=Point, kind=Literal["a"], also=list[Point] | int)
    assert len(said) <= MESSAGE_LIMIT_CHARS
    assert len(said.splitlines()) == 1


@given(st.text(), st.integers(min_value=1, max_value=50))
def test_a_shortened_text_is_within_its_limit_and_marks_a_cut(text: str, limit_chars: int) -> None:
    short = shorten(text, limit_chars=limit_chars)
    line = " ".join(text.split())
    assert short == line if len(line) <= limit_chars else short.endswith("…")
    assert len(short) <= limit_chars
