"""Promises about JSON in prompts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.template_json import write_json
from smallhold.engine.template_text import Marks
from smallhold.messages import JsonValue

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


def marked(value: JsonValue, marks: Marks) -> JsonValue:
    if isinstance(value, str):
        return marks.mark(value)
    if isinstance(value, list):
        return [marked(item, marks) for item in value]
    if isinstance(value, dict):
        return {marks.mark(key): marked(item, marks) for key, item in value.items()}
    return value


@given(
    value=values,
    ensure_ascii=st.booleans(),
    indent=st.sampled_from([None, 0, 2]),
    sort_keys=st.booleans(),
)
def test_marked_values_are_written_as_plain_ones(
    *, value: JsonValue, ensure_ascii: bool, indent: int | None, sort_keys: bool
) -> None:
    marks = Marks()
    written = write_json(
        marked(value, marks), marks, ensure_ascii=ensure_ascii, indent=indent, sort_keys=sort_keys
    )
    assert written.plain == json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, sort_keys=sort_keys
    )


def test_json_of_anything_untrusted_is_untrusted_as_a_whole() -> None:
    marks = Marks()
    text = write_json({"type": [marks.mark("a")]}, marks)
    assert [part.is_trusted for part in marks.segments(text)] == [False]


def test_json_of_the_templates_own_values_is_trusted() -> None:
    marks = Marks()
    text = write_json({"type": 1}, marks, separators=(",", ":"))
    assert [(part.text, part.is_trusted) for part in marks.segments(text)] == [('{"type":1}', True)]


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        write_json(object(), Marks())
