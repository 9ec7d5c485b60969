from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.text_calls.atoms import LITERALS, begins_literal, number_of, unescaped


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_string_s_text_is_read_as_json_reads_it(text: str) -> None:
    assert unescaped(json.dumps(text)[1:-1]) == text


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r"it\'s", "it's"),
        (r"a\qb", "aqb"),
        ('say "hi" \\n', 'say "hi" \n'),
        (r"half \ud83d of it", "half ? of it"),
        (r"odd \' \u00e9", "odd ' é"),
    ],
)
def test_escapes_that_json_does_not_know_stand_for_their_letter(written: str, text: str) -> None:
    assert unescaped(written) == text


@given(st.integers(-(10**17), 10**17) | st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_as_json_reads_it(number: float) -> None:
    assert number_of(json.dumps(number)) == number


@pytest.mark.parametrize("text", ["1e999", "-1e999", "1" * 400, "1e", "+", "-"])
def test_what_is_no_number_that_a_tool_could_take_is_none(text: str) -> None:
    assert number_of(text) is None


def test_a_literal_is_known_by_its_beginning() -> None:
    assert all(begins_literal(word[:size]) for word in LITERALS for size in range(1, len(word)))
    assert not begins_literal("trux")
