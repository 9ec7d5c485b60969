"""Promises about text that remembers its author."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.template_text import Marks, Segment, concatenate
from smallhold.exceptions import ChatTemplateError

any_text = st.text(st.characters(exclude_categories=()), max_size=12)


@given(any_text, any_text, any_text)
def test_authors_survive_joining(before: str, said: str, after: str) -> None:
    marks = Marks()
    trusted = "".join(char for char in before + after if ord(char) < 0xF0000)
    text = concatenate([trusted, marks.mark(said), trusted], marks)
    assert text.plain == trusted + said + trusted
    expected = [(trusted, True), (said, False), (trusted, True)]
    if not said and trusted:
        expected = [(trusted + trusted, True)]
    assert marks.segments(text) == [
        Segment(text=part, is_trusted=is_trusted) for part, is_trusted in expected if part
    ]


@given(any_text, any_text)
def test_marked_text_compares_as_its_plain_form(left: str, right: str) -> None:
    marks = Marks()
    marked = marks.mark(left)
    assert marked == left
    by_text: dict[str, int] = {marked: 1}
    assert by_text[left] == by_text[marks.mark(left)] == 1
    assert (marked == right) == (left == right)
    assert (marked < marks.mark(right)) == (left < right)
    assert (marked >= marks.mark(right)) == (left >= right)
    assert (right in marked) == (right in left)


@given(any_text, st.integers(-5, 5), st.integers(-5, 5))
def test_a_slice_of_marked_text_is_marked(text: str, start: int, stop: int) -> None:
    marks = Marks()
    piece = marks.mark(text)[start:stop]
    assert piece.plain == text[start:stop]
    assert not [part for part in marks.segments(piece) if part.is_trusted]
    assert [char.plain for char in marks.mark(text)] == list(text)


def test_python_prints_marked_text_in_a_list_as_the_plain_one() -> None:
    marks = Marks()
    assert marks.plain(str([marks.mark("a'b")])) == str(["a'b"])


def test_more_characters_than_there_are_marks_are_refused() -> None:
    with pytest.raises(ChatTemplateError, match="131,072 distinct characters"):
        Marks().mark("".join(map(chr, range(200_000))))
