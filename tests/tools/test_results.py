"""Behaviour of the way from a tool's result to text."""

from __future__ import annotations

import itertools
import json
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from smallhold.tools.results import (
    NO_RESULT_TEXT,
    RESULT_LIMIT_CHARS,
    UnreadableResult,
    cut,
    result_text,
)


class Color(Enum):
    RED = "red"


class Text(str, Enum):  # noqa: UP042 - users still write enums so
    A = "a"


@dataclass
class Box:
    width: int
    color: Color


class Customer(BaseModel):
    name: str
    since: date


class Opaque:
    """Something that JSON has no word for."""


def text_of(value: object) -> str:
    text = result_text(value)
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("as it is\n", "as it is\n"),
        ("", ""),
        (None, NO_RESULT_TEXT),
        (3, "3"),
        (True, "true"),
        (1.5, "1.5"),
        (Color.RED, "red"),
        (Text.A, "a"),
        (date(2030, 1, 31), "2030-01-31"),
        (datetime(2030, 1, 31, 9, 30), "2030-01-31T09:30:00"),  # noqa: DTZ001 - tools return it
        (Decimal("1.10"), "1.10"),
        (Path("a/b"), "a/b"),
        (Box(1, Color.RED), '{"width":1,"color":"red"}'),
        (Customer(name="Ada", since=date(2030, 1, 31)), '{"name":"Ada","since":"2030-01-31"}'),
        ({"a": [1, None], "é": {Color.RED: (1,)}}, '{"a":[1,null],"é":{"red":[1]}}'),
        ([float("inf"), float("nan")], "[Infinity,NaN]"),
        ([], "[]"),
        ({"key": SecretStr("hidden")}, '{"key":"**********"}'),
    ],
)
def test_a_result_becomes_short_text(value: object, expected: str) -> None:
    assert text_of(value) == expected


def test_a_five_megabyte_result_is_cut_with_a_mark_of_how_much_is_gone() -> None:
    text = text_of("x" * 5_000_000)
    assert len(text) == RESULT_LIMIT_CHARS
    assert text.endswith("[cut here: 4,992,052 more characters were left out]")


def test_a_result_at_the_limit_is_not_cut() -> None:
    assert text_of("x" * RESULT_LIMIT_CHARS) == "x" * RESULT_LIMIT_CHARS


def endless() -> Iterator[int]:
    yield from itertools.count()


async def stream() -> AsyncIterator[int]:
    yield 1


def circle() -> list[object]:
    ring: list[object] = []
    ring.append(ring)
    return ring


def nest(depth: int) -> list[object]:
    nested: list[object] = []
    for _ in range(depth):
        nested = [nested]
    return nested


def test_a_result_without_words_is_reported_and_not_raised() -> None:
    with socket.socket() as unconnected:
        for value in [unconnected, Opaque(), {"a": Opaque()}, len, b"\xff", ValueError("x")]:
            unreadable = result_text(value)
            assert isinstance(unreadable, UnreadableResult)
            assert unreadable.type_name == type(value).__name__


@pytest.mark.parametrize("make", [circle, lambda: nest(100_000), lambda: 10**5_000])
def test_a_result_without_bounds_is_reported_and_not_raised(make: Callable[[], object]) -> None:
    assert isinstance(result_text(make()), UnreadableResult)


@pytest.mark.parametrize("value", [endless(), stream(), itertools.count()])
def test_a_result_that_may_never_end_is_not_read(value: object) -> None:
    assert isinstance(result_text(value), UnreadableResult)


def test_a_file_name_that_is_no_unicode_does_not_spoil_the_result() -> None:
    name = os.fsdecode(b"photo\xff.jpg")
    assert text_of(name) == "photo?.jpg"
    assert text_of([name]) == '["photo?.jpg"]'


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=50),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner),
)


@given(st.lists(JSON, max_size=3))
def test_json_comes_back_as_it_was(value: list[object]) -> None:
    text = text_of(value)
    assert len(text) > RESULT_LIMIT_CHARS - 1 or json.loads(text) == value


@given(st.text() | st.text().map(lambda text: text * 3_000))
def test_every_text_fits_and_can_be_encoded(value: str) -> None:
    text = text_of(value)
    assert len(text) <= RESULT_LIMIT_CHARS
    text.encode("utf-8")


@given(st.integers(0, 5_000), st.integers(100, 300))
def test_a_cut_says_exactly_how_much_is_gone(length: int, limit_chars: int) -> None:
    whole = "x" * length
    text = cut(whole, limit_chars=limit_chars)
    assert len(text) <= limit_chars
    if text != whole:
        kept, mark = text.split("\n")
        gone = int(mark.split(":")[1].split(" more")[0].replace(",", ""))
        assert len(kept) + gone == length
